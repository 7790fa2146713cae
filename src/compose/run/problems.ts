import { InvalidArgument, isSkiffError, type SkiffError } from "../../base/errors.ts"

/** What is found to be wrong, so that all of it is told at once. */
export class Problems {
  readonly #found: SkiffError[] = []

  /** What `body` gives; undefined where it throws a SkiffError, which is kept. */
  heed<T>(body: () => T): T | undefined {
    try {
      return body()
    } catch (error) {
      if (!isSkiffError(error)) throw error
      if (!this.#found.some(({ message }) => message === error.message)) this.#found.push(error)
      return undefined
    }
  }

  add(error: SkiffError): void {
    this.heed(() => {
      throw error
    })
  }

  /** Throws the one that there is, or one that tells all. Nothing when there is none. */
  throwAny(what: string): void {
    const [first] = this.#found
    if (first === undefined) return
    if (this.#found.length === 1) throw first
    const lines = this.#found.map(({ message }) => `\n  ${message.replaceAll("\n", "\n  ")}`)
    throw new InvalidArgument(`${this.#found.length} things keep ${what}:${lines.join("")}`, {
      data: { problems: this.#found },
      cause: first,
    })
  }
}
