import { closeSync, fsyncSync, openSync, renameSync, unlinkSync, writeSync } from "node:fs"
import { dirname } from "node:path"

/** How the new file is made. */
export interface AtomicWriteOptions {
  /** File mode, default 0o600. */
  mode?: number
  /** fsync file and directory, so that the new content survives a power cut. Default false (volatile state). */
  durable?: boolean
}

let counter = 0

/**
 * Replaces `path` by `content` in one step: a reader sees the old bytes or the new ones, never a part.
 * A crash leaves at most a `.tmp-*` file beside it.
 */
export function atomicWrite(path: string, content: string | Uint8Array, options: AtomicWriteOptions = {}): void {
  const aside = `${path}.tmp-${process.pid}-${counter++}`
  const bytes = typeof content === "string" ? Buffer.from(content) : content
  const fd = openSync(aside, "wx", options.mode ?? 0o600)
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done)
    if (options.durable) fsyncSync(fd)
  } catch (error) {
    closeSync(fd)
    unlinkSync(aside)
    throw error
  }
  closeSync(fd)
  renameSync(aside, path)
  if (options.durable) syncDirectory(dirname(path))
}

/** fsync of a directory: makes a rename or unlink inside it durable. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, "r")
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
