const SIGNALS = ["SIGINT", "SIGTERM"] as const

/** Ctrl-C, or SIGTERM, ends a transfer or a build in order: what has come stays, to go on from. A second one ends us at once. */
export class AbortOnInterrupt implements Disposable {
  readonly #controller = new AbortController()
  readonly #abort = () => {
    this[Symbol.dispose]()
    this.#controller.abort()
  }
  readonly signal = this.#controller.signal

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#abort)
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.off(signal, this.#abort)
  }
}
