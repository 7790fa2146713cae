import type { FileHandle } from "node:fs/promises"
import type { Bytes } from "./bytes.ts"

const CHUNK_BYTES = 1 << 20

/** Which part of a file, and who owns the buffers. */
export interface ReadOptions {
  /** Byte offsets, half open; default: the whole file. */
  start?: number
  end?: number
  /** Each chunk is overwritten once the next is asked for: two buffers serve the whole file. */
  reuse?: boolean | undefined
  signal?: AbortSignal | undefined
}

/**
 * A file in chunks of up to 1 MiB, each read while its reader is still busy with the one before. Ends at the end of the
 * file. The file stays open. Throws the errors of read(2), and the signal's reason.
 */
export async function* readChunks(file: FileHandle, options: ReadOptions = {}): Bytes {
  const { start = 0, end = Infinity, reuse = false, signal } = options
  signal?.throwIfAborted()
  const bufferBytes = Math.min(CHUNK_BYTES, end - start)
  if (bufferBytes <= 0) return
  const own = reuse ? [Buffer.allocUnsafe(bufferBytes), Buffer.allocUnsafe(bufferBytes)] : []
  let turn = 0
  const readAt = (at: number) => {
    const length = Math.min(bufferBytes, end - at)
    const reading = file.read(own[turn++ % 2] ?? Buffer.allocUnsafe(length), 0, length, at)
    reading.catch(() => {}) // seen when it is awaited, or of no interest any more
    return reading
  }
  let ahead: ReturnType<typeof readAt> | undefined = readAt(start)
  try {
    for (let at = start; ahead !== undefined;) {
      const { bytesRead, buffer } = await ahead
      ahead = undefined
      if (bytesRead === 0) return
      at += bytesRead
      if (at < end) ahead = readAt(at)
      yield buffer.subarray(0, bytesRead)
      signal?.throwIfAborted()
    }
  } finally {
    // the caller may close the file, and its number may become another's
    await ahead?.catch(() => {})
  }
}
