import { closeSync } from "node:fs"

const MAX_LINE_BYTES = 64 * 1024

/** The read end of a pipe, read by the event loop: no thread waits in it. */
export class PipeReader implements Disposable {
  readonly #fd: number
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #decoder = new TextDecoder()
  #held = ""
  #ended = false
  #closed = false

  /** Takes over `fd`. */
  constructor(fd: number) {
    this.#fd = fd
    this.#reader = Bun.file(fd).stream().getReader() as ReadableStreamDefaultReader<Uint8Array>
  }

  /** The next line, without its newline; undefined at the end. A longer one than 64 KiB is cut. */
  async line(): Promise<string | undefined> {
    while (!this.#held.includes("\n") && !this.#ended && this.#held.length < MAX_LINE_BYTES) await this.#more()
    if (this.#held === "") return undefined
    const [line = ""] = this.#held.split("\n", 1)
    this.#held = this.#held.slice(line.length + 1)
    return line
  }

  /** Whatever has come since; undefined at the end. */
  async text(): Promise<string | undefined> {
    if (this.#held === "" && !this.#ended) await this.#more()
    const held = this.#held
    this.#held = ""
    return held === "" && this.#ended ? undefined : held
  }

  /** Resolves when all writers have closed, or this end was disposed. */
  async end(): Promise<void> {
    while (!this.#ended) {
      this.#held = ""
      await this.#more()
    }
  }

  /** Closes the descriptor, and ends a read that waits. Safe to repeat. */
  [Symbol.dispose](): void {
    if (this.#closed) return
    this.#closed = true
    void this.#reader.cancel()
    closeSync(this.#fd)
  }

  get disposed(): boolean {
    return this.#closed
  }

  async #more(): Promise<void> {
    const { value, done } = await this.#reader.read()
    if (value !== undefined)
      this.#held = (this.#held + this.#decoder.decode(value, { stream: true })).slice(0, MAX_LINE_BYTES)
    this.#ended = done
  }
}
