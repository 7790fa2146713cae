/** Isolation of a build step without an OCI runtime, the strongest first. */
export const STEP_LEVELS = ["userns", "single-uid", "chroot"] as const
/** One of them. */
export type StepLevel = (typeof STEP_LEVELS)[number]

/** What `Runtimes.choose` knows the step runtime of a level by (plain.ts). */
export function stepRuntimeName(level: StepLevel): string {
  return `step-${level}`
}
