import { log } from "../../base/log.ts"

const FORWARDED: readonly NodeJS.Signals[] = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGCONT",
]

/** docker's client gives up after as many, whatever the program makes of them. */
const INTERRUPTS_TO_FORCE = 3
const INTERRUPTS = new Set<NodeJS.Signals>(["SIGINT", "SIGTERM"])

/** Passes the signals that reach this process on to the program: from `listen` on they wait, from `connect` on they go. */
export class SignalProxy implements Disposable {
  readonly #waiting: string[] = []
  #send: ((signal: string) => Promise<void>) | undefined
  #interrupts = 0
  readonly #forced = Promise.withResolvers<"forced">()

  /** Resolves when the user has asked for the end so often that this process shall not wait for the program's. */
  get forced(): Promise<"forced"> {
    return this.#forced.promise
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    if (INTERRUPTS.has(signal) && ++this.#interrupts >= INTERRUPTS_TO_FORCE) this.#forced.resolve("forced")
    if (this.#send) this.#forward(this.#send, signal)
    else this.#waiting.push(signal)
  }

  listen(): void {
    for (const signal of FORWARDED) process.on(signal, this.#onSignal)
  }

  /** The program runs: what came so far, and what comes, goes to `send`. */
  connect(send: (signal: string) => Promise<void>): void {
    this.#send = send
    for (const signal of this.#waiting.splice(0)) this.#forward(send, signal)
  }

  #forward(send: (signal: string) => Promise<void>, signal: string): void {
    // it may have ended meanwhile: then there is nobody to tell
    send(signal).catch((error: unknown) => log.debug("signal not delivered", { signal, error: String(error) }))
  }

  [Symbol.dispose](): void {
    for (const signal of FORWARDED) process.off(signal, this.#onSignal)
  }
}
