/** A stream of bytes: a download, a blob, an archive. The chunks are their reader's to look at, not to keep. */
export type Bytes = AsyncIterable<Uint8Array>
