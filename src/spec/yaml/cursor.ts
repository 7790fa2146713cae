import { YamlSyntaxError } from "./node.ts"

const [TAB, NEWLINE, SPACE, HASH] = [9, 10, 32, 35]

/** A place in a text of lines, which end with `\n` alone. */
export class Cursor {
  readonly text: string
  pos = 0
  /** Where the line of `pos` begins. */
  lineStart = 0
  /** Column of the first thing on it. */
  lineIndent = 0

  constructor(text: string) {
    this.text = text
    this.lineIndent = this.#spaces(0)
  }

  get column(): number {
    return this.pos - this.lineStart
  }

  /** NaN at the end. */
  code(offset = 0): number {
    return this.text.charCodeAt(this.pos + offset)
  }

  get isEnd(): boolean {
    return this.pos >= this.text.length
  }

  /** A space, a tab, a line's end or the text's. */
  isBlank(offset = 0): boolean {
    const code = this.code(offset)
    return code === SPACE || code === NEWLINE || code === TAB || Number.isNaN(code)
  }

  /** Nothing but spaces stand before `pos` on its line. */
  get isFirstOfLine(): boolean {
    return this.column === this.lineIndent
  }

  fail(message: string, at = this.pos): never {
    throw new YamlSyntaxError(message, at)
  }

  /** Matches a sticky expression here; moves behind it. */
  match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.pos
    const found = pattern.exec(this.text)
    if (!found) return undefined
    this.pos += found[0].length
    return found[0]
  }

  skipSpaces(): void {
    for (let code = this.code(); code === SPACE || code === TAB; code = this.code()) this.pos++
  }

  /** Past spaces, comments and line ends; whether a line ended. A tab that indents something is refused, but for `inFlow`. */
  skip(inFlow = false): boolean {
    let crossed = false
    for (;;) {
      this.skipSpaces()
      const code = this.code()
      if (code === HASH && (this.pos === this.lineStart || this.isSpaceBefore())) this.#skipLine()
      else if (code !== NEWLINE) return crossed
      else {
        crossed = true
        this.newLine(inFlow)
      }
    }
  }

  /** From a line's end to the next line's first thing. */
  newLine(inFlow = false): void {
    this.pos++
    this.lineStart = this.pos
    this.lineIndent = this.#spaces(this.pos)
    this.pos += this.lineIndent
    if (this.code() !== TAB || inFlow) return
    const tab = this.pos
    this.skipSpaces()
    const code = this.code()
    if (code !== NEWLINE && code !== HASH && !this.isEnd) this.fail("found character that cannot start any token", tab)
  }

  isSpaceBefore(): boolean {
    const before = this.code(-1)
    return before === SPACE || before === TAB || before === NEWLINE
  }

  /** `---` or `...` alone at the beginning of a line. */
  isMarker(): boolean {
    if (this.pos !== this.lineStart) return false
    const word = this.text.substring(this.pos, this.pos + 3)
    return (word === "---" || word === "...") && this.isBlank(3)
  }

  /** To where a scan of other lines began. */
  returnTo({ pos, lineStart, lineIndent }: Place): void {
    this.pos = pos
    this.lineStart = lineStart
    this.lineIndent = lineIndent
  }

  place(): Place {
    return { pos: this.pos, lineStart: this.lineStart, lineIndent: this.lineIndent }
  }

  #spaces(from: number): number {
    let at = from
    while (this.text.charCodeAt(at) === SPACE) at++
    return at - from
  }

  #skipLine(): void {
    const end = this.text.indexOf("\n", this.pos)
    this.pos = end === -1 ? this.text.length : end
  }
}

/** Where a cursor was. */
export interface Place {
  pos: number
  lineStart: number
  lineIndent: number
}
