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
/** And of all streams of a connection together: its client must not fill our memory by opening many that nobody takes from. */
const MAX_CONNECTION_BYTES = 1024 * 1024

/** What waits in all streams of one connection. */
export class WaitingRoom {
  #bytes = 0
  #waiters: (() => void)[] = []

  get isFull(): boolean {
    return this.#bytes > MAX_CONNECTION_BYTES
  }

  add(bytes: number): void {
    this.#bytes += bytes
  }

  free(bytes: number): void {
    this.#bytes -= bytes
    if (!this.isFull) for (const go of this.#waiters.splice(0)) go()
  }

  /** Resolves when there is room again. */
  async room(): Promise<void> {
    if (this.isFull) await new Promise<void>((resolve) => this.#waiters.push(resolve))
  }
}

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
  readonly #room: WaitingRoom

  /** `room`: what it shares with the other streams of its connection. */
  constructor(room = new WaitingRoom()) {
    this.#room = room
    this.ended = this.#end.promise
  }

  /** Resolves when there is room for more. */
  async add(chunk: Uint8Array): Promise<void> {
    if (this.#isOver || chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#waiting += chunk.length
    this.#room.add(chunk.length)
    void this.#run()
    if (this.#waiting > MAX_WAITING_BYTES) await new Promise<void>((resolve) => (this.#roomy = resolve))
    await this.#room.room()
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

  /** Nothing more comes, and what waits is for nobody: it was taken back. */
  drop(): void {
    if (this.#sink === undefined) for (const { length } of this.#chunks.splice(0)) this.#took(length)
    this.end()
  }

  #took(bytes: number): void {
    this.#waiting -= bytes
    this.#room.free(bytes)
    if (this.#waiting <= MAX_WAITING_BYTES) this.#roomy?.()
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
      this.#took(chunk.length)
    }
    this.#isRunning = false
    if (this.#isOver) this.#end.resolve()
  }
}
