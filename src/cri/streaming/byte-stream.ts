/** What SPDY's streams, WebSocket's channels and connections have in common. */

/** Called with each piece; the next waits until the promise resolves. */
export type Sink = (chunk: Uint8Array) => void | Promise<void>

/** Bytes both ways. Nothing is taken before `onData`. */
export interface ByteStream {
  onData(sink: Sink): void
  /** Resolves when the other side has ended, and all that it sent was taken. */
  readonly ended: Promise<void>
  /** Resolves when it is out, or the other side is gone. Calls keep their order. */
  write(chunk: Uint8Array): Promise<void>
  /** No more will be written. */
  end(): Promise<void>
}

/** How much of a stream waits before all of its connection does. */
const MAX_WAITING_BYTES = 256 * 1024

/** What has come and was not taken yet. */
export class Inbox {
  readonly ended: Promise<void>
  readonly #chunks: Uint8Array[] = []
  readonly #end = Promise.withResolvers<void>()
  #waiting = 0
  #sink: Sink | undefined
  #isRunning = false
  #isOver = false
  #roomy: (() => void) | undefined

  constructor() {
    this.ended = this.#end.promise
  }

  /** Resolves when there is room for more. */
  async add(chunk: Uint8Array): Promise<void> {
    if (this.#isOver || chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#waiting += chunk.length
    void this.#run()
    if (this.#waiting > MAX_WAITING_BYTES) await new Promise<void>((resolve) => (this.#roomy = resolve))
  }

  onData(sink: Sink): void {
    this.#sink = sink
    void this.#run()
  }

  /** Nothing more comes. What waits is taken first, unless nobody takes it. */
  end(): void {
    this.#isOver = true
    this.#roomy?.()
    void this.#run()
    if (this.#sink === undefined) this.#end.resolve()
  }

  async #run(): Promise<void> {
    if (this.#isRunning || this.#sink === undefined) return
    this.#isRunning = true
    for (let chunk = this.#chunks.shift(); chunk !== undefined; chunk = this.#chunks.shift()) {
      try {
        await this.#sink(chunk)
      } catch {
        // who takes it is gone; what comes is dropped
      }
      this.#waiting -= chunk.length
      if (this.#waiting <= MAX_WAITING_BYTES) this.#roomy?.()
    }
    this.#isRunning = false
    if (this.#isOver) this.#end.resolve()
  }
}
