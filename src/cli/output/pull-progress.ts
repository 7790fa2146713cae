import { hasFigures, isDone, stageWords, type OwnWords } from "./stage-words.ts"
import type { OnProgress, ProgressEvent } from "../../base/progress.ts"
import { formatSize } from "../../base/sizes.ts"
import { isTerminal, onResize, terminalSize } from "../../sys/terminal/terminal.ts"
import { writeAll } from "../out.ts"
import { printable } from "../../base/printable.ts"

/** How the progress of a pull or push is drawn. */
export interface PullProgressOptions {
  /** Where it is drawn: 1 for `pull`, 2 beside the output of `run`. */
  fd: 1 | 2
  quiet: boolean
  /** Of the command's own. */
  words?: OwnWords
  /** A line before the first event; asked for then. */
  intro?: () => string
}

const REPAINT_MS = 66
const FALLBACK_COLUMNS = 80
const FALLBACK_ROWS = 24

/** Draws progress: one line a layer with a bar on a terminal, a plain line a step in a pipe. Dispose it to draw the end. */
export class PullProgress implements Disposable {
  readonly #options: PullProgressOptions
  readonly #lines = new Map<string, ProgressEvent>()
  readonly #isTerminal: boolean
  readonly #resizes: Disposable | undefined
  #begun = false
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Lines on the screen that belong to us, above the cursor. */
  #painted = 0

  constructor(options: PullProgressOptions) {
    this.#options = options
    this.#isTerminal = !options.quiet && isTerminal(options.fd)
    // lines of the old width have wrapped, nobody knows how often: begin anew below them
    this.#resizes = this.#isTerminal ? onResize(() => (this.#painted = 0)) : undefined
  }

  readonly onProgress: OnProgress = (event) => {
    if (this.#options.quiet) return
    if (!this.#begun && this.#options.intro !== undefined) this.#write(`${printable(this.#options.intro())}\n`)
    this.#begun = true
    if (this.#options.words?.[event.stage] === null) return
    if (event.id === "") return this.#line(this.#words(event))
    const before = this.#lines.get(event.id)
    this.#lines.set(event.id, event)
    if (this.#isTerminal) this.#timer ??= setTimeout(() => this.#paint(), REPAINT_MS)
    else if (before?.stage !== event.stage) this.#line(`${event.id}: ${this.#words(event)}`)
  };

  [Symbol.dispose](): void {
    this.#resizes?.[Symbol.dispose]()
    if (this.#timer) this.#paint()
  }

  /** A plain line, above the bars. */
  #line(text: string): void {
    if (!this.#isTerminal) return this.#write(`${printable(text)}\n`)
    this.#write(`${this.#back()}\x1b[J${printable(text)}\n`)
    this.#painted = 0
    this.#paint()
  }

  #paint(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const { rows, columns } = terminalSize(this.#options.fd) ?? { rows: FALLBACK_ROWS, columns: FALLBACK_COLUMNS }
    const shown = fitting([...this.#lines.values()], Math.max(1, rows - 1))
    // over the old lines, and not erased first: that would flicker
    const text = shown.map((event) => `${progressLine(event, this.#words(event), columns - 1)}\x1b[K\n`).join("")
    this.#write(`${this.#back()}${text}\x1b[J`)
    this.#painted = shown.length
  }

  #words(event: ProgressEvent): string {
    return this.#options.words?.[event.stage] ?? stageWords(event)
  }

  /** The cursor to the first of our lines. */
  #back(): string {
    return this.#painted === 0 ? "" : `\x1b[${this.#painted}A`
  }

  #write(text: string): void {
    writeAll(this.#options.fd, text)
  }
}

/** As many as the screen holds: those at work before those that are done. */
function fitting(events: readonly ProgressEvent[], count: number): readonly ProgressEvent[] {
  if (events.length <= count) return events
  const active = events.filter((event) => !isDone(event)).slice(0, count)
  const done = events.filter(isDone).slice(active.length - count)
  const kept = new Set([...active, ...(active.length < count ? done : [])])
  return events.filter((event) => kept.has(event))
}

const BAR_WIDTHS = [50, 30, 15]

/** `3e1a2b: Downloading [=====>    ]  12.3MB/45.6MB`, cut to `width`. */
export function progressLine(event: ProgressEvent, words: string, width: number): string {
  const { id, current, total } = event
  const head = printable(`${id}: ${words}`)
  if (current === undefined || !hasFigures(event)) return head.slice(0, width)
  if (!total) return `${head}  ${formatSize(current)}`.slice(0, width)
  const figures = `${formatSize(current)}/${formatSize(total)}`
  const bar = BAR_WIDTHS.find((size) => head.length + size + figures.length + 5 <= width)
  return `${head} ${bar === undefined ? "" : `${drawBar(current / total, bar)}  `}${figures}`.slice(0, width)
}

function drawBar(share: number, width: number): string {
  const done = Math.max(0, Math.min(width, Math.floor(share * width)))
  return `[${(done === width ? "=".repeat(width) : `${"=".repeat(done)}>`).padEnd(width)}]`
}
