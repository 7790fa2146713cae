/**
 * What a container is, told from the kernel's own words: for people who learn, teach, or look for a fault.
 *
 * It reads and never changes anything. All that it gives is data: kinds, numbers, names, and lines of a shell that would do the same;
 * sentences are a front end's, in the language of its reader.
 */
import type { LaunchStep } from "../container/container.ts"
import type { ContainerExplanation } from "./container-explanation.ts"
import type { HostFacts } from "./host/host.ts"
import type { SecurityGrade } from "./security.ts"
import type { ExplainedStep } from "./steps/step.ts"

export type { ContainerExplanation, LiveExplanation, SeccompFact } from "./container-explanation.ts"
export type { HostFacts } from "./host/host.ts"
export type { MountFact } from "./live/mount-table.ts"
export type { NamespaceFact, NamespaceKind } from "./live/namespaces.ts"
export type { ProcessFacts } from "./live/process.ts"
export type { FindingKey, SecurityFinding, SecurityGrade, Severity } from "./security.ts"
export { shellWord } from "./steps/shell-words.ts"
export type { ExplainedStep, StepKey } from "./steps/step.ts"

/** The whole domain, as `engine/` opens it. */
export interface Explanations {
  /** What a step of a start did, as one or several steps of a reader's. */
  step(step: LaunchStep): Promise<ExplainedStep[]>
  /** Throws NotFound. */
  container(nameOrId: string): Promise<ContainerExplanation>
  /** What weakens the isolation of a container, with a grade. Throws NotFound. */
  security(nameOrId: string): Promise<SecurityGrade>
  /** This machine, as far as containers depend on it. */
  host(): HostFacts
}
