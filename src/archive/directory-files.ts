import { fstatSync, readSync } from "node:fs"
import type { Bytes } from "../base/bytes.ts"
import { DataLoss, hasErrno, InvalidArgument, NotFound } from "../base/errors.ts"
import { openRawInRoot, openRoot } from "../sys/fs/confined.ts"
import { close, O_CLOEXEC } from "../sys/libc.ts"
import { rawName } from "../sys/fs/raw-name.ts"
import type { ArchiveFiles } from "./archive-files.ts"

const CHUNK_BYTES = 1 << 20
const O_NONBLOCK = 0o4000

/** The files of a directory that came from elsewhere: links in it lead nowhere but inside, and only regular files are read. */
export function openDirectory(path: string): ArchiveFiles {
  const root = openRoot(path)

  function open(name: string): number | undefined {
    try {
      // a FIFO would wait for its writer
      return openRawInRoot(root, rawName(name), O_CLOEXEC | O_NONBLOCK)
    } catch (error) {
      if (hasErrno(error, "ENOENT", "ENOTDIR", "ELOOP")) return undefined
      throw error
    }
  }

  function mustOpen(name: string): { fd: number; size: number } {
    const fd = open(name)
    if (fd === undefined) throw new NotFound(`"${path}" has no file "${name}"`)
    const stat = fstatSync(fd)
    if (stat.isFile()) return { fd, size: stat.size }
    close(fd)
    throw new InvalidArgument(`"${name}" in "${path}" is no regular file`)
  }

  return {
    has(name) {
      const fd = open(name)
      if (fd !== undefined) close(fd)
      return fd !== undefined
    },
    size(name) {
      const { fd, size } = mustOpen(name)
      close(fd)
      return size
    },
    async *read(name, offset = 0, { end = Infinity } = {}): Bytes {
      const { fd, size } = mustOpen(name)
      try {
        const last = Math.min(end, size)
        for (let at = offset; at < last;) {
          const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, last - at))
          const count = readSync(fd, chunk, 0, chunk.length, at)
          if (count === 0) throw new DataLoss(`"${name}" in "${path}" was cut while it was read`)
          at += count
          yield chunk.subarray(0, count)
        }
      } finally {
        close(fd)
      }
    },
    async [Symbol.asyncDispose]() {
      close(root)
    },
  }
}
