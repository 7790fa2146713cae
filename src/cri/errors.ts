/** Errors as gRPC tells them. */
import { isSkiffError, type ErrorCode, type Hint } from "../base/errors.ts"

/** Status codes of gRPC. */
export const STATUS = {
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  failedPrecondition: 9,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
} as const

const CODES: Record<ErrorCode, number> = {
  InvalidArgument: STATUS.invalidArgument,
  NotFound: STATUS.notFound,
  AlreadyExists: STATUS.alreadyExists,
  FailedPrecondition: STATUS.failedPrecondition,
  PermissionDenied: STATUS.permissionDenied,
  Unavailable: STATUS.unavailable,
  Unsupported: STATUS.unimplemented,
  DataLoss: STATUS.dataLoss,
  Cancelled: STATUS.cancelled,
}

/** A message travels in a header, which has room for some kilobytes. */
const MAX_MESSAGE = 4000

/** Code and words of a failed call: the message, and what to do about it where that is said in words. Pure. */
export function statusOf(error: unknown): { code: number; details: string } {
  const messages = messagesOf(error)
  const details = messages.join("; ").slice(0, MAX_MESSAGE)
  if (isSkiffError(error) && error.data.isTimeOut === true) return { code: STATUS.deadlineExceeded, details }
  const known = isSkiffError(error)
    ? error
    : error instanceof AggregateError
      ? error.errors.find((one) => isSkiffError(one))
      : undefined
  return { code: isSkiffError(known) ? CODES[known.code] : STATUS.unknown, details }
}

function messagesOf(error: unknown): string[] {
  if (error instanceof AggregateError) return [error.message, ...error.errors.flatMap(messagesOf)]
  if (isSkiffError(error)) return [error.message, ...hintsOf(error.hint)]
  return [error instanceof Error ? error.message : String(error)]
}

function hintsOf(hint: Hint | undefined): string[] {
  if (hint === undefined) return []
  if (typeof hint === "string") return [hint]
  if (Array.isArray(hint)) return hint.flatMap((one: Hint) => hintsOf(one))
  return "valid" in hint ? [`valid: ${hint.valid.join(", ")}`] : []
}
