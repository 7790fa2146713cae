import type { BuildEvent } from "../../build/build.ts"
import type { Step } from "./steps.ts"

/** Shows a build while it runs. Dispose it to draw the end. */
export interface BuildProgress extends Disposable {
  onEvent(event: BuildEvent): void
  /** The step that failed, with its last output. */
  readonly failed: Step | undefined
  /** A person reads it: summaries are welcome. */
  readonly isForPeople: boolean
}
