import { describeError, exitCodeOf, type FailureContext } from "../errors/failure.ts"

/** How what went wrong is told, and with which code the process ends. */
export interface Failures {
  /** Whole lines. */
  text(error: unknown, context: FailureContext): string
  code(error: unknown, context: FailureContext): number
}

/** Skiff's own: what is wrong, and what to do next. */
export const FAILURES: Failures = { text: describeError, code: exitCodeOf }
