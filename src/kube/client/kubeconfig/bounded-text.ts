import { Unavailable } from "../../../base/errors.ts"

/**
 * All of an answer as text, however it is sent: a length that is said, or pieces without end. Throws Unavailable for more than `most` bytes, and
 * reads no further.
 */
export async function boundedText(body: ReadableStream<Uint8Array>, most: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  // leaving the loop cancels the stream, and so ends the connection
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > most) throw new Unavailable(`the server's answer has more than ${most} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
