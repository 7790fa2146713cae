/** Ctrl-C ends a transfer in order: what has come stays, to go on from. */
export class AbortOnInterrupt implements Disposable {
  readonly #controller = new AbortController()
  readonly #abort = () => this.#controller.abort()
  readonly signal = this.#controller.signal

  constructor() {
    process.on("SIGINT", this.#abort)
  }

  [Symbol.dispose](): void {
    process.off("SIGINT", this.#abort)
  }
}
