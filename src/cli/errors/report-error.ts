import type { Failures } from "../compat/failures.ts"
import { OutputClosed, writeAll } from "../out.ts"
import type { FailureContext } from "./failure.ts"

/** Tells the user what went wrong, on standard error; gives the exit code. */
export function reportError(error: unknown, context: FailureContext, { text, code }: Failures): number {
  try {
    writeAll(2, context.asJson ? failureJson(error) : text(error, context))
  } catch (closed) {
    if (!(closed instanceof OutputClosed)) throw closed
  }
  return code(error, context)
}

function failureJson(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return `${JSON.stringify({ error: true, message })}\n`
}
