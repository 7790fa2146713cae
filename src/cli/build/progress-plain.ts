import type { Stage } from "../../base/progress.ts"
import { progressText, seconds } from "./step-text.ts"
import type { BuildEvent } from "../../build/build.ts"
import { safeLine, type LogLine } from "./log-lines.ts"
import type { BuildProgress } from "./build-progress.ts"
import { hasEnded, Steps, type Step } from "./steps.ts"

/** Steps at work at the same time take turns: one keeps the word while it goes on talking, for at most so long. */
const TURN_MS = 1_000
/** Lines that may wait for their turn. */
const MOST_WAITING = 200

/** `#5 [2/5] RUN make`, `#5 0.312 text`, `#5 DONE 1.2s`: lines for a pipe, in BuildKit's form. */
export class PlainProgress implements BuildProgress {
  readonly isForPeople = false
  readonly #steps = new Steps((step, line) => this.#queue(step, [logText(step, line, this.#output(line.text))]))
  readonly #write: (text: string) => void
  readonly #isTerminal: boolean
  /** As they first show up: the numbers that are printed. */
  readonly #numbers = new Map<Step, number>()
  readonly #waiting = new Map<Step, string[]>()
  /** Status lines say the same thing over and over with other figures. */
  readonly #stages = new Map<Step, Map<string, Stage>>()
  #speaker: Step | undefined
  #spokeAt = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(write: (text: string) => void, toTerminal: boolean) {
    this.#write = write
    this.#isTerminal = toTerminal
  }

  get failed(): Step | undefined {
    return this.#steps.failed
  }

  onEvent(event: BuildEvent): void {
    if (!("vertex" in event)) return
    const step = this.#steps.apply(event)
    const line = this.#lineOf(event, step)
    if (line !== undefined) this.#queue(step, line === "" ? [] : [line])
    if (this.#waiting.size > 0) this.#turns()
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    for (const step of this.#waiting.keys()) this.#speak(step)
  }

  /** What an event says besides output; undefined: nothing, empty: that the step begins. */
  #lineOf(event: BuildEvent, step: Step): string | undefined {
    switch (event.kind) {
      case "started":
        return ""
      case "progress":
        return this.#progressLine(step, event.id)
      case "cached":
        return "CACHED"
      case "done":
        return step.state === "cached" ? undefined : `DONE ${duration(step)}`
      case "canceled":
        return this.#numbers.has(step) || this.#waiting.has(step) ? "CANCELED" : undefined
      case "failed":
        return `ERROR: ${safeLine(event.error.split("\n")[0] ?? "")}`
      default:
        return undefined
    }
  }

  /** Only when its words change: a pipe needs no moving figures. */
  #progressLine(step: Step, id: string): string | undefined {
    const event = step.progress.get(id)
    if (!event) return undefined
    const shown = this.#stages.get(step) ?? new Map<string, Stage>()
    this.#stages.set(step, shown)
    if (shown.get(id) === event.stage) return undefined
    shown.set(id, event.stage)
    return safeLine(progressText(event))
  }

  #queue(step: Step, lines: readonly string[]): void {
    const waiting = this.#waiting.get(step) ?? []
    waiting.push(...lines)
    this.#waiting.set(step, waiting)
  }

  #turns(): void {
    const speaker = this.#speaker
    if (speaker && this.#waiting.has(speaker)) this.#speak(speaker)
    for (const [step, lines] of this.#waiting) {
      const now = this.#speaker
      const isFree = !now || hasEnded(now) || performance.now() - this.#spokeAt > TURN_MS
      if (isFree || lines.length > MOST_WAITING) this.#speak(step)
    }
    clearTimeout(this.#timer)
    if (this.#waiting.size > 0) this.#timer = setTimeout(() => this.#turns(), TURN_MS)
  }

  #speak(step: Step): void {
    const lines = this.#waiting.get(step) ?? []
    this.#waiting.delete(step)
    const number = this.#numbers.get(step) ?? this.#numbers.size + 1
    this.#numbers.set(step, number)
    const before = this.#speaker
    let text = ""
    if (before !== step) {
      if (before) text += hasEnded(before) ? "\n" : `#${this.#numbers.get(before)} ...\n\n`
      text += `#${number} ${safeLine(step.name)}\n`
    }
    this.#write(text + lines.map((line) => `#${number} ${line}\n`).join(""))
    this.#speaker = step
    this.#spokeAt = performance.now()
  }

  /** What a program writes goes into a pipe as it is, with its colours. */
  #output(text: string): string {
    return this.#isTerminal ? safeLine(text) : text
  }
}

function logText({ startedAt }: Step, { at }: LogLine, text: string): string {
  return `${seconds(at - (startedAt ?? at), 3)} ${text}`
}

function duration({ startedAt = 0, endedAt = startedAt }: Step): string {
  return `${seconds(endedAt - startedAt, 1)}s`
}
