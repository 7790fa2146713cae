/** Answers that list names (distribution-spec, "Listing Tags"), a page at a time. */
import { isSkiffError } from "../../base/errors.ts"
import { jsonAnswer, RegistryError } from "./answers.ts"
import type { Page, PageRequest, RegistryStore } from "./server.ts"

/** More are not given at once, however many are asked for. */
const MAX_PAGE = 1000

/** GET of a repository's tags. */
export async function getTags(store: RegistryStore, url: URL, repository: string): Promise<Response> {
  const page = pageOf(url)
  try {
    const { names: tags, hasMore } = await store.tags(repository, page)
    return jsonAnswer({ name: repository, tags }, { headers: nextPage(url, page, { names: tags, hasMore }) })
  } catch (error) {
    if (!isSkiffError(error, "NotFound")) throw error
    throw new RegistryError("NAME_UNKNOWN", "no such repository", { name: repository })
  }
}

/** GET of all repositories that the caller may see. */
export async function getCatalog(
  store: RegistryStore,
  url: URL,
  mayList: (repository: string) => Promise<boolean>,
): Promise<Response> {
  const page = pageOf(url)
  const { names, hasMore } = await store.repositories(page)
  const seen = await Promise.all(names.map(async (name) => ((await mayList(name)) ? [name] : [])))
  return jsonAnswer({ repositories: seen.flat() }, { headers: nextPage(url, page, { names, hasMore }) })
}

function pageOf(url: URL): PageRequest {
  const text = url.searchParams.get("n")
  const last = url.searchParams.get("last") ?? undefined
  if (text === null) return { last, limit: MAX_PAGE }
  if (!/^\d{1,15}$/.test(text))
    throw new RegistryError("PAGINATION_NUMBER_INVALID", "n is no number of names", { n: text.slice(0, 100) })
  return { last, limit: Math.min(Number(text), MAX_PAGE) }
}

/** RFC 8288, with the path alone: how the server is reached, only its caller knows. */
function nextPage(url: URL, { limit }: PageRequest, { names, hasMore }: Page): Record<string, string> {
  const last = names.at(-1)
  if (!hasMore || last === undefined) return {}
  return { Link: `<${url.pathname}?n=${limit}&last=${encodeURIComponent(last)}>; rel="next"` }
}
