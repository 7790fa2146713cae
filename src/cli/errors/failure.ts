import { isSkiffError, type SkiffError } from "../../base/errors.ts"
import type { Ending } from "../../container/container.ts"
import { endedText } from "../../docker/ended-text.ts"
import { printable } from "../../base/printable.ts"
import { coloured, CYAN, RED } from "../terminal/colour.ts"
import { describeHint } from "./describe-hint.ts"
import { flagOf, type FailedCommand } from "./field-flags.ts"
import { UsageError } from "./usage-error.ts"

/** What is known of the command line when it fails. */
export interface FailureContext extends FailedCommand {
  /** Whoever reads it is a program: one object, as docker compose's `--progress json` has it. */
  asJson?: boolean
  debug: boolean
  /** The exit code where nothing below says another. */
  failureCode: number
  /** The name by which the command was called, `rm`. */
  typed?: string
  /** Its words in the usage line. */
  usage?: string
  /** Flags may stand in the place of its words. */
  chooses?: boolean
  /** The command runs a program for the user, and ends as that does: what a program ended with is the exit code. */
  endsAsProgram: boolean
}

/** docker: 125 for wrong flags, and what a program ended with (126, 127: it could not be run) for commands that run one. */
export function exitCodeOf(error: unknown, { failureCode, endsAsProgram }: FailureContext): number {
  if (error instanceof UsageError) return error.exitCode
  return (endsAsProgram && isSkiffError(error) ? error.data.programExit : undefined) ?? failureCode
}

/** `skiff: message (--flag)`, then a hint, then with `--debug` the stack and the causes; harmless to a terminal. */
export function describeError(error: unknown, { debug, ...failed }: FailedCommand & { debug: boolean }): string {
  const lines = [`${coloured(2, RED, "skiff:")} ${shortened(printable(messageOf(error, failed)))}`]
  const hint = hintOf(error, failed)
  if (hint !== undefined) lines.push(`  ${coloured(2, CYAN, "hint:")} ${shortened(printable(hint))}`)
  if (debug) lines.push(...stackOf(error).map(printable))
  return `${lines.join("\n")}\n`
}

/** Names of images, files and labels are strangers' text, of any length: so much of each tells which it is. */
const LONG_NAME = /"([^"\n]{200})[^"\n]+"/gu
/** Where a name itself holds quotes. */
const LONG_LINE = /^(.{4000}).+$/gmu

function shortened(text: string): string {
  return text.replace(LONG_NAME, '"$1…"').replace(LONG_LINE, "$1…")
}

function messageOf(error: unknown, failed: FailedCommand): string {
  if (error instanceof AggregateError)
    return `${error.message}\n${error.errors.map((one) => `  ${messageOf(one, failed)}`).join("\n")}`
  if (!(error instanceof Error)) return String(error)
  const flag = isSkiffError(error) && error.field !== undefined ? flagOf(error.field, failed) : undefined
  const message = error.message === "" ? "failed" : error.message
  if (flag === undefined || message.includes(flag)) return message
  // below the first line a file is quoted
  return message.replace(/$/m, ` (${flag})`)
}

function hintOf(error: unknown, failed: FailedCommand): string | undefined {
  if (isSkiffError(error)) return error.hint === undefined ? whyOf(error) : describeHint(error.hint, failed)
  if (!(error instanceof AggregateError)) return undefined
  return error.errors.map((one) => hintOf(one, failed)).find((hint) => hint !== undefined)
}

/** What was found out about a program that could not be run. */
function whyOf({ data }: SkiffError): string | undefined {
  const ending = data.ending as Ending | undefined
  return ending?.by === "fault" ? endedText(ending) : undefined
}

function stackOf(error: unknown): string[] {
  if (!(error instanceof Error)) return []
  return [error.stack ?? "", ...(error.cause === undefined ? [] : ["caused by:", ...stackOf(error.cause)])]
}
