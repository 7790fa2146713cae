import type { Failures } from "../compat/failures.ts"
import { OutputClosed, writeAll } from "../out.ts"
import type { FailureContext } from "./failure.ts"

/** Tells the user what went wrong, on standard error; gives the exit code. */
export function reportError(error: unknown, context: FailureContext, { text, code }: Failures): number {
  try {
    writeAll(2, text(error, context))
  } catch (closed) {
    if (!(closed instanceof OutputClosed)) throw closed
  }
  return code(error, context)
}
