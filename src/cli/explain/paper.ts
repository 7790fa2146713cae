import { displayWidth } from "../output/columns.ts"
import { hasColour } from "../terminal/colour.ts"
import { printable } from "../../base/printable.ts"

const BOLD = 1
const FAINT = 2
const GREEN = 32
const BLUE = 34
/** A page is as wide as this where nobody says otherwise: what a terminal and a printed page have. */
const PAGE_WIDTH = 80

/** What a page is made for. */
export interface PageOptions {
  fd: 1 | 2
  /** Of the terminal; a page is never wider than 80 columns for all that. */
  columns?: number | undefined
}

/** Lines of a page: prose is wrapped, commands never are, for they are there to be copied. */
export class Paper {
  readonly #width: number
  readonly #fd: 1 | 2
  readonly #lines: string[] = []

  constructor({ fd, columns = PAGE_WIDTH }: PageOptions) {
    this.#fd = fd
    this.#width = Math.max(40, Math.min(columns, PAGE_WIDTH))
  }

  /** A heading, underlined where there are no colours. */
  title(text: string): void {
    const shown = printable(text)
    if (this.#lines.length > 0) this.blank()
    this.#lines.push(this.#painted(BOLD, shown))
    this.#lines.push(this.#painted(FAINT, "─".repeat(Math.min(displayWidth(shown), this.#width))))
  }

  /** A heading of a part of it. */
  heading(text: string): void {
    if (this.#lines.length > 0) this.blank()
    this.#lines.push(...wrapped(printable(text), this.#width).map((line) => this.#painted(BLUE, line)))
  }

  prose(text: string, indent = 0): void {
    const room = this.#width - indent
    for (const line of wrapped(printable(text), room)) this.#lines.push(" ".repeat(indent) + line)
  }

  /** `term` beside what it is; a long one has a line of its own. */
  entry(term: string, text: string, width: number): void {
    const label = printable(term)
    const [first = "", ...more] = wrapped(printable(text), this.#width - width - 4)
    const fits = displayWidth(label) <= width
    const head = `  ${this.#painted(GREEN, label)}`
    if (fits) this.#lines.push(`${head}${" ".repeat(width - displayWidth(label) + 2)}${first}`.trimEnd())
    else this.#lines.push(head, `${" ".repeat(width + 4)}${first}`)
    for (const line of more) this.#lines.push(`${" ".repeat(width + 4)}${line}`)
  }

  /** A line to be copied. */
  command(line: string): void {
    this.#lines.push(`  ${this.#painted(FAINT, "$")} ${printable(line)}`)
  }

  /** As it is: a picture, a row of a table. */
  raw(line: string): void {
    this.#lines.push(printable(line).trimEnd())
  }

  blank(): void {
    if (this.#lines.at(-1) !== "") this.#lines.push("")
  }

  /** What was put on it since the last time, with its line ends. */
  take(): string {
    const lines = this.#lines.splice(0)
    return `${lines.join("\n")}\n`
  }

  /** The whole page: nothing is left open at its end. */
  finish(): string {
    while (this.#lines.at(-1) === "") this.#lines.pop()
    return this.take()
  }

  #painted(style: number, text: string): string {
    return hasColour(this.#fd) ? `\x1b[${style}m${text}\x1b[0m` : text
  }
}

/** In lines of `width` columns of a terminal at most, where words allow it. A space that must not break (U+00A0) does not. */
export function wrapped(text: string, width: number): string[] {
  return text.split("\n").flatMap((paragraph) => {
    const lines: string[] = []
    for (const word of joinPunctuation(paragraph.split(" "))) {
      const last = lines.at(-1)
      if (last !== undefined && displayWidth(last) + 1 + displayWidth(word) <= width)
        lines[lines.length - 1] = `${last} ${word}`
      else lines.push(word)
    }
    return lines
  })
}

/** French sets a space before `:`, `;`, `?`, `!`, `»` and after `«`: a line neither begins nor ends there. */
function joinPunctuation(words: readonly string[]): string[] {
  const joined: string[] = []
  for (const word of words) {
    const last = joined.at(-1)
    if (last !== undefined && (/^[:;?!»]/.test(word) || last.endsWith("«")))
      joined[joined.length - 1] = `${last} ${word}`
    else joined.push(word)
  }
  return joined
}
