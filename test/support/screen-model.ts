/** What a person sees: a terminal that obeys what our painter writes (a part of xterm's ctlseqs), and refuses all else. */
import { textWidth } from "../../src/sys/terminal/text-width.ts"

interface Cell {
  text: string
  /** SGR parameters that hold here, as `1;31`. */
  look: string
}

const SEQUENCE = /^\x1b(?:\[([<=>?]?)([\d;]*)([A-Za-z])|([78=>]))/ // oxlint-disable-line no-control-regex
const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" })

export class ScreenModel {
  #cells: Cell[][] = []
  #row = 0
  #column = 0
  #look = ""
  #waiting = ""
  /** DEC private modes that are on. */
  readonly modes = new Set<number>()
  /** What was shown before the alternate screen, and is so again after it. */
  #mainText = ""
  /** Sequences that no painter of ours writes: there must be none. */
  readonly unknown: string[] = []
  rows: number
  columns: number

  constructor(rows = 24, columns = 80) {
    this.rows = rows
    this.columns = columns
    this.#clear()
  }

  get hasAlternateScreen(): boolean {
    return this.modes.has(1049)
  }

  /** What stands outside the alternate screen, whole. */
  get mainText(): string {
    return this.#mainText
  }

  resize(rows: number, columns: number): void {
    this.rows = rows
    this.columns = columns
    this.#clear()
  }

  feed(text: string): void {
    let rest = this.#waiting + text
    this.#waiting = ""
    while (rest !== "") {
      if (rest.startsWith("\x1b")) {
        const match = SEQUENCE.exec(rest)
        if (!match) {
          if (rest.length < 20) {
            this.#waiting = rest
            return
          }
          this.unknown.push(rest.slice(0, 20))
          rest = rest.slice(1)
          continue
        }
        this.#obey(match[1] ?? "", (match[2] ?? "").split(";").map(Number), match[3] ?? "", match[0])
        rest = rest.slice(match[0].length)
        continue
      }
      const end = rest.indexOf("\x1b")
      this.#show(end < 0 ? rest : rest.slice(0, end))
      rest = end < 0 ? "" : rest.slice(end)
    }
  }

  /** All rows, with the blanks at their ends left out. */
  get text(): string {
    return Array.from({ length: this.rows }, (_, row) => this.line(row)).join("\n")
  }

  line(row: number): string {
    return (this.#cells[row] ?? [])
      .map(({ text }) => text)
      .join("")
      .trimEnd()
  }

  /** The look (SGR) of the first cell where `text` is shown; undefined when it is not. */
  lookOf(text: string): string | undefined {
    for (let row = 0; row < this.rows; row++) {
      const cells = this.#cells[row] ?? []
      for (let column = 0; column < cells.length; column++)
        if (
          cells
            .slice(column)
            .map((cell) => cell.text)
            .join("")
            .startsWith(text)
        )
          return cells[column]?.look
    }
    return undefined
  }

  #clear(): void {
    this.#cells = Array.from({ length: this.rows }, () =>
      Array.from({ length: this.columns }, () => ({ text: " ", look: "" })),
    )
  }

  #obey(mark: string, numbers: number[], final: string, sequence: string): void {
    const [first = 0, second = 0] = numbers
    if (mark === "?" && (final === "h" || final === "l")) {
      for (const mode of numbers) {
        if (final === "h") this.modes.add(mode)
        else this.modes.delete(mode)
        if (mode === 1049) this.#clear()
      }
    } else if (mark === "" && final === "H") {
      this.#row = Math.max(0, first - 1)
      this.#column = Math.max(0, second - 1)
    } else if (mark === "" && final === "J" && first === 2) this.#clear()
    else if (mark === "" && final === "m") this.#look = numbers.filter((code) => code !== 0).join(";")
    else if (final === "u" && (mark === ">" || mark === "<")) return
    else if (this.hasAlternateScreen) this.unknown.push(sequence) // before and after, others write
  }

  #show(text: string): void {
    if (!this.hasAlternateScreen) {
      this.#mainText += text
      return
    }
    for (const { segment } of segmenter.segment(text)) {
      const width = textWidth(segment)
      if (width === 0) {
        this.unknown.push(segment)
        continue
      }
      const row = this.#cells[this.#row]
      if (!row || this.#column + width > this.columns) {
        this.unknown.push(`outside: ${segment}`)
        continue
      }
      row[this.#column] = { text: segment, look: this.#look }
      if (width === 2) row[this.#column + 1] = { text: "", look: this.#look }
      this.#column += width
    }
  }
}
