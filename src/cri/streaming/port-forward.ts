/** Connections to ports inside of a sandbox, each joined to two streams of a client: its data, and what went wrong. */
import { setTimeout as sleep } from "node:timers/promises"
import type { Engine } from "../../engine/engine.ts"
import type { ByteStream } from "../../sys/net/websocket/byte-stream.ts"
import type { SpdyStream } from "./spdy/spdy-connection.ts"

/** How long a client may still say something to a server that has said all. */
const HALF_OPEN_MS = 1000
/** How long one stream of a pair waits for the other. */
const PAIR_MS = 30_000

/** One connection, to its end. Never throws. */
export async function forward(
  engine: Engine,
  podId: string,
  port: number,
  { data, error }: { data: ByteStream; error: ByteStream },
): Promise<void> {
  try {
    const pod = await (await engine.pods()).get(podId)
    using connection = await (await engine.sandboxes()).connect(pod.sandboxId ?? "", port)
    data.onData((chunk) => connection.write(chunk))
    connection.onData((chunk) => data.write(chunk))
    const said = data.ended.then(() => connection.end())
    await connection.ended
    await data.end()
    const timeOut = new AbortController()
    await Promise.race([said, sleep(HALF_OPEN_MS, undefined, { signal: timeOut.signal }).catch(() => {})])
    timeOut.abort()
  } catch (failure) {
    const words = failure instanceof Error ? failure.message : String(failure)
    await error.write(Buffer.from(`error forwarding port ${port} to pod ${podId}: ${words}`))
  } finally {
    await data.end()
    await error.end()
  }
}

type Half = "data" | "error"

/** Finds the two streams of each connection by the number that the client gave them. */
export class StreamPairs {
  readonly #waiting = new Map<string, { streams: Partial<Record<Half, SpdyStream>>; timer: NodeJS.Timeout }>()
  readonly #onPair: (port: number, pair: Record<Half, SpdyStream>) => void

  constructor(onPair: (port: number, pair: Record<Half, SpdyStream>) => void) {
    this.#onPair = onPair
  }

  /** A stream that is none of a pair is taken back. */
  add(stream: SpdyStream): void {
    const { streamtype, port: text = "", requestid: id = "" } = stream.headers
    const port = Number(text)
    if ((streamtype !== "data" && streamtype !== "error") || !/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) {
      void stream.reset()
      return
    }
    // clients before 1.4 gave no number: the error stream comes first, and its data stream right after it
    const key = `${port}:${id}`
    const { streams, timer } = this.#waiting.get(key) ?? { streams: {}, timer: this.#expiry(key) }
    if (streams[streamtype] !== undefined) {
      void stream.reset()
      return
    }
    streams[streamtype] = stream
    this.#waiting.set(key, { streams, timer })
    const { data, error } = streams
    if (data === undefined || error === undefined) return
    clearTimeout(timer)
    this.#waiting.delete(key)
    this.#onPair(port, { data, error })
  }

  /** Nobody comes any more. */
  end(): void {
    for (const { timer } of this.#waiting.values()) clearTimeout(timer)
    this.#waiting.clear()
  }

  #expiry(key: string): NodeJS.Timeout {
    return setTimeout(() => {
      const { streams = {} } = this.#waiting.get(key) ?? {}
      this.#waiting.delete(key)
      for (const stream of Object.values(streams)) void stream.reset()
    }, PAIR_MS)
  }
}
