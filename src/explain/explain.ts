/**
 * What a container is, told from the kernel's own words: for people who learn, teach, or look for a fault.
 *
 * It reads and never changes anything. All that it gives is data: kinds, numbers, names, and lines of a shell that would do the same;
 * sentences are a front end's, in the language of its reader.
 */
import type { LaunchStep } from "../container/container.ts"
import type { ExplainedStep } from "./steps/step.ts"

export type { ExplainedStep, StepKey } from "./steps/step.ts"

/** The whole domain, as `engine/` opens it. */
export interface Explanations {
  /** What a step of a start did, as one or several steps of a reader's. */
  step(step: LaunchStep): Promise<ExplainedStep[]>
}
