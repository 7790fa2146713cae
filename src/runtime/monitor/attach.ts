import { Seqpacket } from "../../sys/net/seqpacket.ts"
import type { Attachment } from "../runtime.ts"

const STDOUT = 2
const STDERR = 3

type Sink = (stream: "stdout" | "stderr", chunk: Uint8Array) => void | Promise<void>

/**
 * Connects to the socket of a container or an exec. Each packet is one byte for the stream (2 stdout, 3 stderr; a
 * terminal is all stdout), then up to 8,192 bytes of output. Until `onOutput` is called nothing is read, so conmon and
 * the program wait, and nothing is lost.
 */
export async function attachTo(socketPath: string): Promise<Attachment> {
  let sink: Sink | undefined
  let last: Promise<void> | undefined
  const socket = await Seqpacket.connect(socketPath, (packet) => {
    const stream = packet[0] === STDERR ? "stderr" : packet[0] === STDOUT ? "stdout" : undefined
    // other prefixes are conmon's affair (it pads nothing today): not the program's bytes
    if (stream === undefined || packet.length < 2) return
    last = deliver(stream, packet.subarray(1), last)
  })
  const deliver = (
    stream: "stdout" | "stderr",
    chunk: Uint8Array,
    before: Promise<void> | undefined,
  ): Promise<void> | undefined => {
    if (before === undefined) {
      const result = sink?.(stream, chunk)
      return result === undefined ? undefined : hold(result)
    }
    return hold(before.then(() => sink?.(stream, chunk)))
  }
  /** Nothing more is read until `work` is done: backpressure reaches the program. */
  const hold = (work: Promise<void>): Promise<void> => {
    socket.pause()
    const done: Promise<void> = work.finally(() => {
      if (last !== done) return
      last = undefined
      socket.resume()
    })
    return done
  }
  return {
    onOutput(callback) {
      sink = callback
      socket.resume()
    },
    closed: socket.closed.then(async () => void (await last)),
    write: (chunk) => socket.write(chunk),
    endInput: () => socket.endInput(),
    [Symbol.dispose]: () => socket.close(),
  }
}
