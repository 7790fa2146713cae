/** A stream of bytes: a download, a blob, an archive. The chunks are their reader's to look at, not to keep. */
export type Bytes = AsyncIterable<Uint8Array>

/** The stream, until the signal's reason is thrown in it. */
export async function* untilAborted(bytes: Bytes, signal: AbortSignal | undefined): Bytes {
  signal?.throwIfAborted()
  for await (const chunk of bytes) {
    yield chunk
    signal?.throwIfAborted()
  }
}
