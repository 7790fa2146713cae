import { isSkiffError } from "../base/errors.ts"
import { writeAll, OutputClosed } from "./out.ts"
import { printable } from "./printable.ts"

export interface FailureContext {
  debug: boolean
  /** The exit code where the error names none. */
  failureCode: number
}

/** Tells the user what went wrong and what to do next, on standard error; gives the exit code. */
export function reportError(error: unknown, context: FailureContext): number {
  try {
    writeAll(2, printable(describeError(error, context)))
  } catch (closed) {
    if (!(closed instanceof OutputClosed)) throw closed
  }
  return (isSkiffError(error) ? error.exitCode : undefined) ?? context.failureCode
}

/** `skiff: message`, then a hint, then with `--debug` the stack and the causes. */
export function describeError(error: unknown, { debug }: FailureContext): string {
  const lines = [`skiff: ${messageOf(error)}`]
  const hint = hintOf(error)
  if (hint !== undefined) lines.push(`  hint: ${hint}`)
  if (debug) lines.push(...stackOf(error))
  return `${lines.join("\n")}\n`
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError)
    return `${error.message}\n${error.errors.map((one) => `  ${messageOf(one)}`).join("\n")}`
  if (error instanceof Error) return error.message === "" ? "failed" : error.message
  return String(error)
}

function hintOf(error: unknown): string | undefined {
  if (isSkiffError(error)) return error.hint
  return error instanceof AggregateError ? error.errors.map(hintOf).find((hint) => hint !== undefined) : undefined
}

function stackOf(error: unknown): string[] {
  if (!(error instanceof Error)) return []
  return [error.stack ?? "", ...(error.cause === undefined ? [] : ["caused by:", ...stackOf(error.cause)])]
}
