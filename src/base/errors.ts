/**
 * The one family of errors that skiff throws on purpose.
 *
 * Code tests `error.code` (class names do not survive minifying); front ends print `message`, then `hint`.
 * A message says what was tried, on what, what is and what was wanted: lower case, no full stop, values quoted.
 * It names no flag, command line or exit code: a front end makes them of `field`, `hint` and `data`.
 */
import type { Hint } from "./hint.ts"

export type { Hint } from "./hint.ts"

/** What kind of failure it is; the classes below say what each means. */
export type ErrorCode =
  | "InvalidArgument"
  | "NotFound"
  | "AlreadyExists"
  | "FailedPrecondition"
  | "PermissionDenied"
  | "Unavailable"
  | "Unsupported"
  | "DataLoss"
  | "Cancelled"

/** What an error has besides its message. */
export interface ErrorDetails {
  /** The option that is at fault: its path in the domain's options, units left off, as `resources.memoryReservation`. */
  field?: string | undefined
  /** What the user does next. */
  hint?: Hint | undefined
  /** Facts for who handles the error. */
  data?: ErrorData | undefined
  cause?: unknown
}

/** Facts that code may read; which there are is said where the error is thrown. */
export interface ErrorData {
  /** The status of the program that was to run: its own, 127 when it was not found, 126 when it could not be run. */
  readonly programExit?: number | undefined
  readonly [key: string]: unknown
}

/** An error that was foreseen: a front end shows it without a stack trace. */
export class SkiffError extends Error {
  readonly code: ErrorCode
  readonly field: string | undefined
  readonly hint: Hint | undefined
  readonly data: ErrorData

  constructor(code: ErrorCode, message: string, { field, hint, data = {}, cause }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.field = field
    this.hint = hint
    this.data = data
  }

  /** The same error in other words, for who knows more of it: what `details` leaves out stays, and this is its cause. */
  restated(message: string, details: ErrorDetails & { code?: ErrorCode } = {}): SkiffError {
    const { code = this.code, field = this.field, hint = this.hint, data, cause = this } = details
    return new SkiffError(code, message, { field, hint, data: { ...this.data, ...data }, cause })
  }
}

/** The caller's words are wrong: an option, a name, a document. Trying again unchanged is of no use. */
export class InvalidArgument extends SkiffError {
  constructor(message: string, details?: ErrorDetails) {
    super("InvalidArgument", message, details)
  }
}

/** The thing named is not there. */
export class NotFound extends SkiffError {
  constructor(message: string, details?: ErrorDetails) {
    super("NotFound", message, details)
  }
}

/** The name or port is taken. */
export class AlreadyExists extends SkiffError {
  constructor(message: string, details?: ErrorDetails) {
    super("AlreadyExists", message, details)
  }
}

/** The thing is there, but its state forbids this: a running container, an image in use, a snapshot with children. */
export class FailedPrecondition extends SkiffError {
  constructor(message: string, details?: ErrorDetails) {
    super("FailedPrecondition", message, details)
  }
}

/** The kernel, a registry or a policy says no. */
export class PermissionDenied extends SkiffError {
  constructor(message: string, details?: ErrorDetails) {
    super("PermissionDenied", message, details)
  }
}

/** Something outside did not answer, or a resource has run out; the same call may work later. */
export class Unavailable extends SkiffError {
  constructor(message: string, details?: ErrorDetails) {
    super("Unavailable", message, details)
  }
}

/** This host, kernel or version of skiff cannot do it. */
export class Unsupported extends SkiffError {
  constructor(message: string, details?: ErrorDetails) {
    super("Unsupported", message, details)
  }
}

/** Bytes are not what their digest, size or format says. */
export class DataLoss extends SkiffError {
  constructor(message: string, details?: ErrorDetails) {
    super("DataLoss", message, details)
  }
}

/** The user or a parent call stopped it. */
export class Cancelled extends SkiffError {
  constructor(message: string, details?: ErrorDetails) {
    super("Cancelled", message, details)
  }
}

/** Whether `error` is a SkiffError, and of `code` where one is given. */
export function isSkiffError(error: unknown, code?: ErrorCode): error is SkiffError {
  return error instanceof SkiffError && (code === undefined || error.code === code)
}

/** Whether `error` carries this errno name: from `node:fs` or from `sys/libc`. */
export function hasErrno(error: unknown, ...names: string[]): boolean {
  if (!(error instanceof Error)) return false
  const code = (error as { errno?: unknown; code?: unknown }).code
  const errnoName = (error as { errnoName?: unknown }).errnoName
  return names.some((name) => name === code || name === errnoName)
}

/** Runs `body`, which may fail by the named errno: what it was to do is done, or what it was to change is gone. */
export function ignoreErrno(name: string, body: () => unknown): void {
  try {
    body()
  } catch (error) {
    if (!hasErrno(error, name)) throw error
  }
}
