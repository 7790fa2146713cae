/** Messages in a stream: each has its length before it (RFC 1035, section 4.2.2). */

/** A message as it goes into the stream. */
export function frame(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(message.length + 2)
  bytes.set([message.length >> 8, message.length & 255])
  bytes.set(message, 2)
  return bytes
}

/** Takes the stream in whatever pieces it comes. Holds no more than one message that has begun: 64 KiB. */
export class FrameReader {
  #rest = new Uint8Array(0)

  /** The messages that are whole by now. */
  read(piece: Uint8Array): Uint8Array[] {
    const messages: Uint8Array[] = []
    const bytes = new Uint8Array(this.#rest.length + piece.length)
    bytes.set(this.#rest)
    bytes.set(piece, this.#rest.length)
    let at = 0
    for (;;) {
      const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
      if (at + 2 > bytes.length || at + 2 + length > bytes.length) break
      messages.push(bytes.slice(at + 2, at + 2 + length))
      at += 2 + length
    }
    this.#rest = bytes.slice(at)
    return messages
  }
}
