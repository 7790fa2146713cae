import { open } from "node:fs/promises"
import { hasErrno } from "../../base/errors.ts"
import { fault } from "./fault.ts"
import type { Origin } from "./tree.ts"

/** No person writes a tenth of it, and what is made of a byte takes a hundred. */
export const MAX_FILE_BYTES = 16 << 20
const CHUNK_BYTES = 256 << 10

/** A file's bytes, whatever kind of file it is, but no more than can be a compose file. `origin`: who names it. Throws in docker's words. */
export async function readBounded(path: string, origin?: Origin): Promise<Uint8Array> {
  try {
    await using file = await open(path, "r")
    const chunks: Uint8Array[] = []
    let size = 0
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES)
      if (bytesRead === 0) return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
      chunks.push(buffer.subarray(0, bytesRead))
      size += bytesRead
      if (size > MAX_FILE_BYTES)
        throw fault(`failed to parse ${path}: the file has more than ${MAX_FILE_BYTES} bytes`, origin)
    }
  } catch (error) {
    throw asFault(error, path, origin)
  }
}

function asFault(error: unknown, path: string, origin: Origin | undefined): unknown {
  const failed = (words: string) => fault(words, origin, { cause: error })
  if (hasErrno(error, "ENOENT"))
    return fault(`open ${path}: no such file or directory`, origin, { code: "NotFound", cause: error })
  if (hasErrno(error, "EISDIR")) return failed(`read ${path}: is a directory`)
  if (hasErrno(error, "ENOTDIR")) return failed(`open ${path}: not a directory`)
  if (hasErrno(error, "EACCES")) return failed(`open ${path}: permission denied`)
  if (hasErrno(error, "ENAMETOOLONG")) return failed(`open ${path.slice(0, 200)}…: file name too long`)
  if (hasErrno(error, "ELOOP")) return failed(`open ${path}: too many levels of symbolic links`)
  return error
}
