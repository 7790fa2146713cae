/**
 * The one family of errors that skiff throws on purpose.
 *
 * Code tests `error.code` (class names do not survive minifying); front ends print `message`, then `hint`.
 * A message says what was tried, on what, what is and what was wanted: lower case, no full stop, values quoted.
 */
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

export interface ErrorDetails {
  /** What the user does next, as a sentence without full stop. */
  hint?: string
  cause?: unknown
  /** The process exit code that a front end should use in place of its own default (docker: 125, 126, 127). */
  exitCode?: number
}

export class SkiffError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly exitCode: number | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.hint = details.hint
    this.exitCode = details.exitCode
  }
}

/** The caller's words are wrong: a flag, a name, a document. Trying again unchanged is of no use. */
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
