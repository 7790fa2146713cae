import { RE2JS } from "re2js"

/** Instructions: time of a match is at most their number times that of the text's characters. */
const MAX_PROGRAM = 10_000

/** A place that an expression fits, as RegExp tells it. */
export interface ExpressionMatch {
  0: string
  index: number
  groups?: Readonly<Record<string, string | undefined>> | undefined
}

/** What of RegExp those use that may get either. `exec` goes on from `lastIndex`. */
export interface Expression {
  readonly source: string
  lastIndex: number
  test(text: string): boolean
  exec(text: string): ExpressionMatch | null
}

/**
 * A regular expression in RE2's syntax, which is Go's: Trivy's and dive's users write that. It takes time in proportion to the text, whatever
 * either of them is; JavaScript's own takes for ever for `(x+x+)+y` on a hostile name.
 */
export class LinearExpression implements Expression {
  lastIndex = 0
  readonly source: string
  readonly #compiled: RE2JS
  readonly #groups: readonly string[]

  /** Throws SyntaxError, with what is wrong, also for what RE2 has not (look-around, references back) and what is too large. */
  constructor(source: string) {
    this.source = source
    try {
      this.#compiled = RE2JS.compile(source)
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new SyntaxError(`invalid regular expression: ${why.replace(/^error parsing regexp: /, "")}`, { cause })
    }
    if (this.#compiled.programSize() > MAX_PROGRAM) throw new SyntaxError("invalid regular expression: it is too large")
    this.#groups = Object.keys(this.#compiled.namedGroups())
  }

  test(text: string): boolean {
    return this.#compiled.test(text)
  }

  /** The first from `lastIndex` on, which is set behind it; null, and `lastIndex` 0, where there is none. */
  exec(text: string): ExpressionMatch | null {
    const matcher = this.#compiled.matcher(text)
    if (this.lastIndex > text.length || !matcher.find(this.lastIndex)) {
      this.lastIndex = 0
      return null
    }
    this.lastIndex = matcher.end()
    return {
      0: matcher.group() ?? "",
      index: matcher.start(),
      groups: Object.fromEntries(this.#groups.map((name) => [name, matcher.group(name) ?? undefined])),
    }
  }
}
