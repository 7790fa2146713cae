/** What a registry answers when it does not do what it was asked (distribution-spec, "Error codes"). */

/** The codes of the specification, with the status that each comes with. */
const STATUS = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 416,
  BLOB_UPLOAD_UNKNOWN: 404,
  DENIED: 403,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 404,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  PAGINATION_NUMBER_INVALID: 400,
  RANGE_INVALID: 416,
  SIZE_INVALID: 413,
  TAG_INVALID: 400,
  TOOMANYREQUESTS: 429,
  UNAUTHORIZED: 401,
  UNAVAILABLE: 503,
  UNKNOWN: 500,
  UNSUPPORTED: 405,
} as const

/** A code that a client understands. */
export type RegistryErrorCode = keyof typeof STATUS

/** Thrown anywhere in the making of an answer; becomes that answer. */
export class RegistryError extends Error {
  readonly code: RegistryErrorCode
  readonly status: number
  readonly detail: unknown
  readonly headers: Readonly<Record<string, string>>

  constructor(code: RegistryErrorCode, message: string, detail?: unknown, headers: Record<string, string> = {}) {
    super(message)
    this.code = code
    this.status = STATUS[code]
    this.detail = detail
    this.headers = headers
  }
}

/** The answer that says an error. */
export function errorAnswer({ code, status, message, detail, headers }: RegistryError): Response {
  const body = { errors: [{ code, message, ...(detail === undefined ? {} : { detail }) }] }
  return jsonAnswer(body, { status, headers })
}

/** JSON with its length; `type` where a document has one of its own. */
export function jsonAnswer(
  body: unknown,
  {
    status = 200,
    headers = {},
    type = "application/json",
  }: { status?: number; headers?: Record<string, string>; type?: string } = {},
): Response {
  const text = JSON.stringify(body)
  return new Response(text, {
    status,
    headers: { "Content-Type": type, "Content-Length": String(Buffer.byteLength(text)), ...headers },
  })
}

/** An answer without a body. */
export function emptyAnswer(status: number, headers: Record<string, string> = {}): Response {
  return new Response(null, { status, headers: { "Content-Length": "0", ...headers } })
}
