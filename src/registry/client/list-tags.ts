import * as v from "valibot"
import { DataLoss } from "../../base/errors.ts"
import { absent, checkDocument, parseDocument } from "../../spec/parse-document.ts"
import { MAX_MANIFEST_BYTES } from "../../spec/oci-image.ts"
import { answerError } from "./answer-error.ts"
import type { Endpoint } from "./endpoint.ts"

const MAX_PAGES = 1000
const TAG = /^\w[\w.-]{0,127}$/
const Page = v.object({ tags: absent(v.array(v.pipe(v.string(), v.regex(TAG, "no tag")))) })

/** Distribution spec, "Listing Tags": page after page, each naming the next in its Link header (RFC 5988). */
export async function listTags(endpoint: Endpoint, what: string, hasCredentials: () => boolean): Promise<string[]> {
  const tags: string[] = []
  let query = ""
  for (let page = 0; page < MAX_PAGES; page++) {
    const response = await endpoint.get(`tags/list${query}`, { accept: "application/json" })
    if (response.status !== 200) throw await answerError(what, response, hasCredentials())
    const document = parseDocument(await response.bytes(MAX_MANIFEST_BYTES), MAX_MANIFEST_BYTES, what)
    tags.push(...(checkDocument(Page, document, what).tags ?? []))
    const next = nextQuery(response.headers.get("link"))
    if (next === undefined || next === query) return tags
    query = next
  }
  throw new DataLoss(`${what}: ${endpoint.host} gives more than ${MAX_PAGES} pages`)
}

/** Only what it says to ask for: where to is not the answer's to choose. */
function nextQuery(link: string | null): string | undefined {
  return /<[^>]*(\?[^>#]+)[^>]*>\s*;[^,]*rel="?next"?/i.exec(link ?? "")?.[1]
}
