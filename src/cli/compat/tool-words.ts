import { isSkiffError } from "../../base/errors.ts"
import type { FailureContext } from "../errors/failure.ts"

/** Our own name in a command line becomes the tool's. Pure. */
export function asTool(text: string, tool: string): string {
  return text.replaceAll(/(^|['`\s])skiff (?=[a-z-])/g, `$1${tool} `)
}

/** `Usage:  docker rm [OPTIONS] CONTAINER [CONTAINER...]`. */
export function usageOf(tool: string, { typed = "", usage = "" }: FailureContext): string {
  return `Usage:  ${`${tool} ${typed} ${usage}`.trim()}`
}

/** Of an error, or of each of several. */
export function messagesOf(error: unknown): string[] {
  if (error instanceof AggregateError) return error.errors.flatMap(messagesOf)
  if (isSkiffError(error) || error instanceof Error) return [error.message]
  return [String(error)]
}
