import type { Socket } from "node:net"

/** One connection, read piece by piece as it is wanted, so that who is slow is not sent more than TCP holds. */
export class Wire {
  readonly #socket: Socket
  readonly #pieces: AsyncIterator<Uint8Array>
  #rest: Uint8Array
  /** Aborted when it is gone. */
  readonly closed: AbortSignal

  /** `rest`: what was read of it already. */
  constructor(socket: Socket, rest: Uint8Array) {
    this.#socket = socket
    this.#rest = rest
    const controller = new AbortController()
    this.closed = controller.signal
    socket.on("error", () => {})
    // neither SPDY nor WebSocket goes on when one side has ended
    for (const event of ["end", "close"]) socket.once(event, () => controller.abort())
    this.#pieces = piecesOf(socket)
  }

  /** Some bytes, at most `max`; undefined at the end. */
  async some(max: number): Promise<Uint8Array | undefined> {
    if (this.#rest.length === 0) {
      const { value, done = false } = await this.#pieces.next()
      if (done || value === undefined) return undefined
      this.#rest = value
    }
    const piece = this.#rest.subarray(0, max)
    this.#rest = this.#rest.subarray(piece.length)
    return piece
  }

  /** Exactly so many; undefined when it ends before. */
  async exactly(size: number): Promise<Uint8Array | undefined> {
    const whole = new Uint8Array(size)
    for (let done = 0; done < size;) {
      const piece = await this.some(size - done)
      if (piece === undefined) return undefined
      whole.set(piece, done)
      done += piece.length
    }
    return whole
  }

  /** Resolves when there is room for more, or it is gone. */
  async write(bytes: Uint8Array): Promise<void> {
    const socket = this.#socket
    if (socket.destroyed || !socket.writable || socket.write(bytes)) return
    await new Promise<void>((resolve) => {
      const go = (): void => {
        socket.off("drain", go)
        socket.off("close", go)
        resolve()
      }
      socket.once("drain", go)
      socket.once("close", go)
    })
  }

  /** Sends what is left, and closes. */
  end(): void {
    this.#socket.end()
    // who does not close his side is cut
    setTimeout(() => this.#socket.destroy(), CLOSE_MS).unref()
  }

  destroy(): void {
    this.#socket.destroy()
  }
}

const CLOSE_MS = 5000

async function* piecesOf(socket: Socket): AsyncGenerator<Uint8Array, void, undefined> {
  const queue: Uint8Array[] = []
  let wake: (() => void) | undefined
  let isOver = socket.destroyed || socket.readableEnded
  const over = (): void => {
    isOver = true
    wake?.()
  }
  socket.on("data", (chunk: Uint8Array) => {
    queue.push(chunk)
    socket.pause()
    wake?.()
  })
  socket.once("end", over)
  socket.once("close", over)
  for (;;) {
    const chunk = queue.shift()
    if (chunk !== undefined) {
      yield chunk
      continue
    }
    if (isOver) return
    socket.resume()
    await new Promise<void>((resolve) => (wake = resolve))
    wake = undefined
  }
}
