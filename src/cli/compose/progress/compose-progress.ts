import type { OnComposeEvent } from "../../../compose/compose.ts"
import type { ProgressPlace } from "./progress-mode.ts"

/** Shows what a verb does while it does it. Dispose it to draw the end: only then other output may follow. */
export interface ComposeProgress extends Disposable {
  readonly onEvent: OnComposeEvent
  /** A line that stays, beside those of the things. */
  note(text: string): void
}

/** What is shown, and where. */
export interface ProgressOptions extends ProgressPlace {
  /** Of the whole: `Running`, `Stopping`. */
  title: string
  isDryRun: boolean
}
