/** Ctrl-C and SIGTERM end a build in order: steps are canceled, nothing of theirs is left. A second one ends it at once. */
export class AbortOnSignals implements Disposable {
  readonly #controller = new AbortController()
  readonly #abort = () => {
    this[Symbol.dispose]()
    this.#controller.abort()
  }
  readonly signal = this.#controller.signal

  constructor() {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, this.#abort)
  }

  [Symbol.dispose](): void {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.off(name, this.#abort)
  }
}
