import { hasColour } from "../terminal/colour.ts"
import type { BuildEvent } from "../../build/build.ts"
import { onResize, terminalSize } from "../../sys/terminal/terminal.ts"
import { writeAll } from "../out.ts"
import type { BuildProgress } from "./build-progress.ts"
import { Steps, type Step } from "./steps.ts"
import { finalTree, runningTree, type TreeLine } from "./tree-view.ts"

const REPAINT_MS = 100
const FALLBACK = { rows: 24, columns: 80 }

/** The live tree of a terminal: drawn over itself by cursor moves alone; what stands above is never touched. */
export class TreeProgress implements BuildProgress {
  readonly isForPeople = true
  readonly #fd: number
  readonly #steps = new Steps()
  readonly #resizes: Disposable
  readonly #isColoured = hasColour(2)
  #timer: ReturnType<typeof setInterval> | undefined
  /** Lines on the screen that are ours, above the cursor. */
  #painted = 0
  #over = false

  constructor(fd: number) {
    this.#fd = fd
    // lines of the old width have wrapped, nobody knows how often: begin anew below them
    this.#resizes = onResize(() => (this.#painted = 0))
  }

  get failed(): Step | undefined {
    return this.#steps.failed
  }

  onEvent(event: BuildEvent): void {
    if (!("vertex" in event)) return
    this.#steps.apply(event)
    // an interval, as times go on while nothing happens
    this.#timer ??= setInterval(() => this.#paint(runningTree(this.#steps, Date.now(), this.#size())), REPAINT_MS)
  }

  [Symbol.dispose](): void {
    if (this.#over) return
    this.#over = true
    clearInterval(this.#timer)
    this.#resizes[Symbol.dispose]()
    if (this.#timer !== undefined) this.#paint(finalTree(this.#steps, Date.now(), this.#size().columns))
  }

  /** One column is left free: a full line would wrap on some terminals. One row is the cursor's. */
  #size(): { columns: number; rows: number } {
    const { columns, rows } = terminalSize(this.#fd) ?? FALLBACK
    return { columns: Math.max(20, columns - 1), rows: Math.max(2, rows - 1) }
  }

  #paint(lines: readonly TreeLine[]): void {
    const back = this.#painted === 0 ? "" : `\x1b[${this.#painted}A`
    // over the old lines, and not erased first: that would flicker
    const text = lines.map((line) => `${this.#coloured(line)}\x1b[K\n`).join("")
    writeAll(this.#fd, `\x1b[?25l${back}${text}\x1b[J\x1b[?25h`)
    this.#painted = lines.length
  }

  #coloured({ text, colour }: TreeLine): string {
    return colour === undefined || !this.#isColoured ? text : `\x1b[${colour}m${text}\x1b[0m`
  }
}
