import type { BuildEvent } from "../build.ts"

/** A log that is longer ends here. */
const MAX_LOG_CHARACTERS = 256 * 1024

/** What the steps of one build said, as plain lines, and how many there were. */
export class StepLog {
  text = ""
  readonly #steps = new Map<number, { name: string; startedAt: number; open: string; decoder: TextDecoder }>()
  #done = 0
  #cached = 0
  /** Of the step that ended the build. */
  error: string | undefined

  get steps(): { total: number; done: number; cached: number } {
    return { total: this.#steps.size, done: this.#done, cached: this.#cached }
  }

  take(event: BuildEvent): void {
    if (event.kind === "vertex") {
      const { vertex, name } = event
      this.#steps.set(vertex, { name, startedAt: 0, open: "", decoder: new TextDecoder() })
      return
    }
    if (event.kind === "warning") return this.#line(`WARNING: ${event.message}`)
    const step = this.#steps.get(event.vertex)
    if (step === undefined) return
    const mark = `#${event.vertex + 1} `
    if (event.kind === "started") {
      step.startedAt = event.at
      this.#line(`${mark}${step.name}`)
    } else if (event.kind === "log") {
      const lines = (step.open + step.decoder.decode(event.bytes, { stream: true })).split("\n")
      // a line may never end
      step.open = (lines.pop() ?? "").slice(0, MAX_LOG_CHARACTERS)
      for (const line of lines) this.#line(mark + line)
    } else if (event.kind === "cached") {
      this.#done++
      this.#cached++
      this.#line(`${mark}${step.name}\n${mark}CACHED`)
    } else if (event.kind === "done" || event.kind === "failed" || event.kind === "canceled") {
      if (step.open !== "") this.#line(mark + step.open)
      if (event.kind === "done") this.#done++
      if (event.kind === "failed") this.error = event.error
      const seconds = ((event.at - step.startedAt) / 1000).toFixed(1)
      this.#line(
        mark +
          (event.kind === "done" ? `DONE ${seconds}s` : event.kind === "failed" ? `ERROR: ${event.error}` : "CANCELED"),
      )
    }
  }

  #line(line: string): void {
    if (this.text.length >= MAX_LOG_CHARACTERS) return
    this.text += `${line}\n`
    if (this.text.length >= MAX_LOG_CHARACTERS)
      this.text = `${this.text.slice(0, MAX_LOG_CHARACTERS)}\n[the rest of the log was not kept]\n`
  }
}
