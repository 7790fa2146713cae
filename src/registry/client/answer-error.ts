import { DataLoss, NotFound, PermissionDenied, SkiffError, Unavailable } from "../../base/errors.ts"
import type { HttpResponse } from "./http.ts"

const MAX_ERROR_BYTES = 64 * 1024
const MAX_WORDS = 300

/** What a registry answered instead of `what`, as an error that quotes it (distribution spec, error codes). */
export async function answerError(what: string, response: HttpResponse, hasCredentials: boolean): Promise<SkiffError> {
  const { status, url } = response
  const message = `${what}: ${url.host} answered ${status} ${await answerWords(response)}`.trimEnd()
  if (status === 404) return new NotFound(message, { hint: "check the name and the tag" })
  if (status === 401 || status === 403)
    return new PermissionDenied(message, {
      hint: hasCredentials
        ? `the credentials configured for ${url.host} are not sufficient`
        : ["the image may not exist, or it needs credentials", { do: "login", registry: url.host }],
    })
  if (status === 429) return new Unavailable(message, { hint: "wait a while, or pull with credentials" })
  return status >= 500 ? new Unavailable(message, { hint: "try again later" }) : new DataLoss(message)
}

/** The registry's own words, cut short and without control characters; they are a stranger's. */
async function answerWords(response: HttpResponse): Promise<string> {
  let text: string
  try {
    text = Buffer.from(await response.bytes(MAX_ERROR_BYTES)).toString()
  } catch {
    return ""
  }
  let words = response.headers.get("content-type")?.includes("html") ? "" : text
  try {
    const { errors } = JSON.parse(text) as { errors?: { code?: unknown; message?: unknown }[] }
    const [first] = errors ?? []
    if (first) words = String(first.message ?? first.code)
  } catch {
    // not the specified form: as it is
  }
  return words
    .replace(/\p{Cc}+/gu, " ")
    .trim()
    .slice(0, MAX_WORDS)
}
