import { fstatSync, readSync } from "node:fs"
import type { Bytes } from "../../base/bytes.ts"
import { isSkiffError } from "../../base/errors.ts"
import { openRawInRoot } from "../../sys/fs/confined.ts"
import type { Owner } from "../../sys/fs/image-users.ts"
import { close, O_NONBLOCK } from "../../sys/libc.ts"

const CHUNK_BYTES = 1024 * 1024
const HEAD_BYTES = 512

/** How ADD unpacks. */
export interface UnpackOptions {
  /** Gives the descriptor of the directory that it goes into. */
  open(): number
  /** `--chown`, in place of the owners in the archive. */
  owner?: Owner
  signal?: AbortSignal
}

/**
 * ADD of a tar archive (plain or compressed) unpacks it; of any other file does nothing and gives false. Links in the
 * archive and in the directory lead nowhere outside that directory. Throws as `applyLayer`.
 */
export async function unpackArchive(sourceFd: number, path: string, options: UnpackOptions): Promise<boolean> {
  const { applyLayer } = await import("../../archive/archive.ts")
  if (!(await isArchive(openFile(sourceFd, path)))) return false
  const directory = options.open()
  try {
    const { owner, signal } = options
    await applyLayer(openFile(sourceFd, path), `/proc/self/fd/${directory}`, { plain: true, owner, signal })
  } finally {
    close(directory)
  }
  return true
}

async function isArchive(file: Bytes): Promise<boolean> {
  const { decompress, isTarHead } = await import("../../archive/archive.ts")
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of decompress(file)) {
      chunks.push(Buffer.from(chunk))
      length += chunk.length
      if (length >= HEAD_BYTES) break
    }
  } catch (error) {
    // it only looked compressed
    if (isSkiffError(error, "DataLoss")) return false
    throw error
  }
  return isTarHead(Buffer.concat(chunks))
}

async function* openFile(sourceFd: number, path: string): Bytes {
  const fd = openRawInRoot(sourceFd, path, O_NONBLOCK)
  try {
    if (!fstatSync(fd).isFile()) return
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
    for (;;) {
      const count = readSync(fd, buffer)
      if (count === 0) return
      yield Buffer.from(buffer.subarray(0, count))
    }
  } finally {
    close(fd)
  }
}
