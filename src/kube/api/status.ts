import { isSkiffError, SkiffError, type ErrorCode } from "../../base/errors.ts"
import { isTree } from "../field.ts"

/** One fault of an object, as Kubernetes' Status names it. */
export interface Cause {
  reason: string
  message: string
  field: string
}

/** Kubernetes' answer for what went wrong, or well (meta/v1 Status). */
export interface Status {
  kind: "Status"
  apiVersion: "v1"
  metadata: object
  status: "Success" | "Failure"
  message?: string
  reason?: string
  details?: {
    name?: string
    group?: string
    kind?: string
    uid?: string
    causes?: readonly Cause[]
    retryAfterSeconds?: number
  }
  code: number
}

const HTTP_CODES: Readonly<Record<string, number>> = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  NotImplemented: 501,
  ServiceUnavailable: 503,
  Timeout: 504,
}

const REASON_OF_CODE: Readonly<Partial<Record<ErrorCode, string>>> = {
  InvalidArgument: "BadRequest",
  NotFound: "NotFound",
  AlreadyExists: "AlreadyExists",
  FailedPrecondition: "Conflict",
  PermissionDenied: "Forbidden",
  Unavailable: "ServiceUnavailable",
  Unsupported: "NotImplemented",
}

/** What our errors carry of a Status. */
export interface StatusData {
  reason: string
  /** `deployments.apps`. */
  resource?: string
  name?: string
  /** In place of the resource's plural, `Deployment`. */
  kind?: string
  causes?: readonly Cause[]
  retryAfterSeconds?: number
  /** In place of the reason's own: a webhook's word. */
  httpCode?: number
}

/** An error that a client is to see as this Status. */
export function statusError(code: ErrorCode, message: string, data: StatusData): SkiffError {
  return new SkiffError(code, message, { data: { ...data } })
}

/** The request itself is wrong. */
export function badRequest(message: string): SkiffError {
  return statusError("InvalidArgument", message, { reason: "BadRequest" })
}

/** `the server could not find the requested resource`: kubectl's clients look for these words. */
export function noSuchResource(): SkiffError {
  return statusError("NotFound", "the server could not find the requested resource", { reason: "NotFound" })
}

/** `Deployment.apps "web" is invalid: …`, with a cause for each fault (errors.NewInvalid). */
export function invalid(kind: string, group: string, name: string, causes: readonly Cause[]): SkiffError {
  const faults = causes.map(({ field, message }) => `${field}: ${message}`)
  const all = faults.length === 1 ? faults[0] : `[${faults.join(", ")}]`
  const title = group === "" ? kind : `${kind}.${group}`
  return statusError("InvalidArgument", `${title} "${name}" is invalid: ${all}`, {
    reason: "Invalid",
    resource: group === "" ? kind : `${kind}.${group}`,
    kind,
    name,
    causes,
  })
}

/** What a thrown error says to a client; undefined for one that was not foreseen. */
export function statusOf(error: unknown): Status {
  if (!isSkiffError(error))
    return failure("InternalError", `Internal error occurred: ${error instanceof Error ? error.message : "unknown"}`)
  const { data } = error
  const known = typeof data["reason"] === "string" ? data["reason"] : undefined
  const reason = known ?? REASON_OF_CODE[error.code] ?? "InternalError"
  const [plural = "", ...group] = typeof data["resource"] === "string" ? data["resource"].split(".") : []
  const kind = typeof data["kind"] === "string" ? data["kind"] : plural
  const causes = Array.isArray(data["causes"]) ? (data["causes"] as Cause[]) : undefined
  const retryAfterSeconds = typeof data["retryAfterSeconds"] === "number" ? data["retryAfterSeconds"] : undefined
  const details = {
    ...(typeof data["name"] === "string" && data["name"] !== "" && { name: data["name"] }),
    ...(group.length > 0 && { group: group.join(".") }),
    ...(kind !== "" && { kind }),
    ...(causes && { causes }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  }
  const status = failure(reason, error.message, Object.keys(details).length > 0 ? details : undefined)
  return typeof data["httpCode"] === "number" ? { ...status, code: data["httpCode"] } : status
}

function failure(reason: string, message: string, details?: Status["details"]): Status {
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    ...(reason !== "" && { reason }),
    ...(details && { details }),
    code: HTTP_CODES[reason] ?? 500,
  }
}

/** `Success` of a deletion. */
export function success(details: Status["details"]): Status {
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", ...(details && { details }), code: 200 }
}

const CODE_OF_REASON: Readonly<Record<string, ErrorCode>> = {
  NotFound: "NotFound",
  AlreadyExists: "AlreadyExists",
  Conflict: "FailedPrecondition",
  Expired: "FailedPrecondition",
  Gone: "FailedPrecondition",
  Forbidden: "PermissionDenied",
  Unauthorized: "PermissionDenied",
  ServiceUnavailable: "Unavailable",
  Timeout: "Unavailable",
  TooManyRequests: "Unavailable",
}

/** The error that a Status of a server stands for, for who called it. */
export function errorOfStatus(status: unknown, httpStatus: number): SkiffError {
  const body = isTree(status) ? status : {}
  const reason = typeof body["reason"] === "string" && body["reason"] !== "" ? body["reason"] : reasonOf(httpStatus)
  const message = typeof body["message"] === "string" ? body["message"] : `the server answered ${httpStatus}`
  const details = isTree(body["details"]) ? body["details"] : {}
  return new SkiffError(CODE_OF_REASON[reason] ?? "InvalidArgument", message, {
    data: { reason, causes: details["causes"], name: details["name"], kind: details["kind"], httpStatus },
  })
}

function reasonOf(httpStatus: number): string {
  return Object.entries(HTTP_CODES).find(([, code]) => code === httpStatus)?.[0] ?? "InternalError"
}
