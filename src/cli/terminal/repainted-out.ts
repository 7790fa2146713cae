import { terminalSize } from "../../sys/terminal/terminal.ts"
import { printable } from "../../base/printable.ts"
import { Out, writeAll } from "../out.ts"

const FALLBACK_ROWS = 24

/** Results that take each other's place on the terminal: what is written is shown by `show`, from the top of the screen, in one write. */
export class RepaintedOut extends Out {
  #pending = ""
  #isFirst = true

  override text(text: string): void {
    this.#pending += printable(text)
  }

  /** Lines that the screen has no room for are counted, not shown. */
  show(): void {
    const rows = (terminalSize(1)?.rows ?? FALLBACK_ROWS) - 1
    const lines = this.#pending.trimEnd().split("\n")
    this.#pending = ""
    const shown = lines.length <= rows ? lines : [...lines.slice(0, rows - 1), `… ${lines.length - rows + 1} more`]
    // over the old lines, and not erased first: that would flicker
    writeAll(1, `${this.#isFirst ? "\x1b[2J" : ""}\x1b[H${shown.map((line) => `${line}\x1b[K\n`).join("")}\x1b[J`)
    this.#isFirst = false
  }
}
