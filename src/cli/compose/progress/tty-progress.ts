import { printable } from "../../../base/printable.ts"
import type { ComposeEvent } from "../../../compose/compose.ts"
import { onResize, terminalSize } from "../../../sys/terminal/terminal.ts"
import { writeAll } from "../../out.ts"
import type { ComposeProgress, ProgressOptions } from "./compose-progress.ts"
import { drawFrame, type TimedLine } from "./progress-frame.ts"
import { progressLine } from "./progress-line.ts"

const REPAINT_MS = 100
const FALLBACK = { columns: 80, rows: 24 }

/** A line for each thing, redrawn in place ten times a second; the end stays on the screen. */
export class TtyProgress implements ComposeProgress {
  readonly #options: ProgressOptions
  readonly #lines = new Map<string, TimedLine>()
  readonly #resizes: Disposable
  #timer: ReturnType<typeof setInterval> | undefined
  /** Lines on the screen that belong to us, above the cursor. */
  #painted = 0
  #hasChanged = false

  constructor(options: ProgressOptions) {
    this.#options = options
    // lines of the old width have wrapped, nobody knows how often: begin anew below them
    this.#resizes = onResize(() => (this.#painted = 0))
  }

  readonly onEvent = (event: ComposeEvent): void => {
    const line = progressLine(event)
    const before = this.#lines.get(line.id)
    const nowMs = performance.now()
    const endedMs = line.outcome === "working" ? undefined : (before?.endedMs ?? nowMs)
    this.#lines.set(line.id, {
      ...line,
      // progress only goes up: the parts of a layer's way count anew
      current: Math.max(line.current, before?.current ?? 0),
      total: Math.max(line.total, before?.total ?? 0),
      startedMs: before?.startedMs ?? nowMs,
      endedMs,
    })
    this.#hasChanged = true
    this.#timer ??= setInterval(() => this.#tick(), REPAINT_MS)
  }

  note(text: string): void {
    const back = this.#back()
    this.#painted = 0
    this.#write(`${back}${back === "" ? "" : "\x1b[J"}${printable(text)}\n`)
    if (this.#timer !== undefined) this.#paint()
  }

  [Symbol.dispose](): void {
    this.#resizes[Symbol.dispose]()
    clearInterval(this.#timer)
    if (this.#lines.size > 0) this.#paint(true)
    this.#lines.clear()
    this.#painted = 0
    this.#timer = undefined
  }

  #tick(): void {
    const isWorking = [...this.#lines.values()].some(({ outcome }) => outcome === "working")
    if (this.#hasChanged || isWorking) this.#paint()
  }

  #paint(isLast = false): void {
    this.#hasChanged = false
    const { rows, columns } = terminalSize(this.#options.fd) ?? FALLBACK
    const lines = drawFrame([...this.#lines.values()], {
      ...this.#options,
      columns,
      // the line of the cursor is below ours; the end may scroll
      rows: isLast ? undefined : Math.max(2, rows - 1),
      nowMs: performance.now(),
    })
    // over the old lines, and not erased first: that would flicker. A full line must be erased before it is written:
    // at the right edge the cursor still stands on the last character
    this.#write(`${this.#back()}${lines.map((line) => `\x1b[K${line}\n`).join("")}\x1b[J`)
    this.#painted = lines.length
  }

  /** The cursor to the first of our lines. */
  #back(): string {
    return this.#painted === 0 ? "" : `\x1b[${this.#painted}A\r`
  }

  #write(text: string): void {
    writeAll(this.#options.fd, text)
  }
}
