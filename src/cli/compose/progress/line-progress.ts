import { printable } from "../../../base/printable.ts"
import type { ComposeEvent } from "../../../compose/compose.ts"
import { writeAll } from "../../out.ts"
import type { ComposeProgress, ProgressOptions } from "./compose-progress.ts"
import { DRY_RUN_PREFIX } from "./progress-frame.ts"
import { progressLine, type ProgressLine } from "./progress-line.ts"

/** A line for each step: ` Container p-a-1  Created`. */
export class PlainProgress implements ComposeProgress {
  readonly #options: ProgressOptions
  readonly #last = new Map<string, string>()

  constructor(options: ProgressOptions) {
    this.#options = options
  }

  readonly onEvent = (event: ComposeEvent): void => {
    const { id, text, status } = progressLine(event)
    // one that only counts on is no new step
    const step = event.state === "Waiting" ? event.state : `${event.state} ${text} ${status}`
    if (this.#last.get(id) === step) return
    this.#last.set(id, step)
    this.#write(` ${id} ${text} ${status}`)
  }

  note(text: string): void {
    this.#write(text)
  }

  [Symbol.dispose](): void {}

  #write(text: string): void {
    writeAll(this.#options.fd, `${this.#options.isDryRun ? DRY_RUN_PREFIX : ""}${printable(text)}\n`)
  }
}

/** An object for each event, as docker's: `{"id":"Container p-a-1","status":"Created"}`. */
export class JsonProgress implements ComposeProgress {
  readonly #options: ProgressOptions

  constructor(options: ProgressOptions) {
    this.#options = options
  }

  readonly onEvent = (event: ComposeEvent): void => this.#write(jsonFields(progressLine(event)))

  note(text: string): void {
    this.#write({ tail: true, text })
  }

  [Symbol.dispose](): void {}

  #write(fields: object): void {
    const message = { ...(this.#options.isDryRun && { "dry-run": true }), ...fields }
    writeAll(this.#options.fd, `${JSON.stringify(message)}\n`)
  }
}

/** What is empty or 0 is left out, as Go does. */
function jsonFields({ id, parent, text, status, current, total }: ProgressLine): object {
  const percent = total > 0 ? Math.min(100, Math.floor((current / total) * 100)) : 0
  const fields = { id, parent_id: parent, text, status, current, total, percent }
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== "" && value !== 0),
  )
}

/** Nothing is shown. */
export class QuietProgress implements ComposeProgress {
  readonly onEvent = (): void => {}
  note(): void {}
  [Symbol.dispose](): void {}
}
