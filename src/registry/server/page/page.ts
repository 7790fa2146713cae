/** The registry's page for browsers: repositories, and tags of one. It reads what the API reads, by the same rights. */
import { isSkiffError } from "../../../base/errors.ts"
import type { Access, Scope } from "../access.ts"
import { RegistryError } from "../answers.ts"
import { repositoryName } from "../route.ts"
import type { RegistryStore } from "../server.ts"
import { pageAnswer } from "./frame.ts"
import { html } from "./html.ts"
import { imageFacts } from "./image-facts.ts"
import { repositoriesView, repositoryView, type TagView } from "./views.ts"

/** What pages are made from. */
export interface PageDeps {
  store: RegistryStore
  access: Access
}

const MAX_REPOSITORIES = 100
/** Each is read with all that it leads to. */
const MAX_TAGS = 25
const MAX_REFERRERS = 50

/** A browser, and not a client that takes anything: `*\/*` asks for no page. */
export function wantsPage(request: Request): boolean {
  return /\btext\/html\b/i.test(request.headers.get("Accept") ?? "")
}

/** `/`, `/?repository=NAME`, both with `last=` for the next page. What fails is a page, too. */
export async function answerPage({ store, access }: PageDeps, request: Request, url: URL): Promise<Response> {
  const hasUsers = access.token !== undefined
  try {
    const repository = url.searchParams.get("repository")
    const scope: Scope =
      repository === null ? { action: "list" } : { repository: repositoryName(repository), action: "pull" }
    const user = await access.check(request, scope)
    if (url.searchParams.has("login") && user === undefined && hasUsers)
      throw new RegistryError("UNAUTHORIZED", "authentication required")
    const last = url.searchParams.get("last") ?? undefined
    const given = { store, access, request, last }
    const content =
      repository === null ? await listRepositories(given) : await showRepository(given, repository, hostOf(request))
    return pageAnswer(request, { title: repository ?? "Registry", content, user, hasUsers })
  } catch (error) {
    const known = asRegistryError(error)
    if (known === undefined) throw error
    return pageAnswer(request, { ...failure(known), hasUsers })
  }
}

interface Asked extends PageDeps {
  request: Request
  last: string | undefined
}

/** Those that the caller may pull from. */
async function listRepositories({ store, access, request, last }: Asked) {
  const page = await store.repositories({ last, limit: MAX_REPOSITORIES })
  const seen = await Promise.all(
    page.names.map(async (repository) =>
      (await access.allows(request, { repository, action: "pull" })) ? [repository] : [],
    ),
  )
  return repositoriesView({ names: seen.flat(), hasMore: page.hasMore }, last === undefined, page.names.at(-1))
}

async function showRepository({ store, last }: Asked, repository: string, host: string) {
  const { names, hasMore } = await store.tags(repository, { last, limit: MAX_TAGS })
  const tags: TagView[] = []
  for (const tag of names) {
    const found = await store.manifest(repository, { tag })
    if (found === undefined) continue // it went in this moment
    const referrers = await store.referrers(repository, found.descriptor.digest)
    tags.push({ tag, facts: await imageFacts(store, repository, found), referrers: referrers.slice(0, MAX_REFERRERS) })
  }
  return repositoryView(repository, tags, hasMore ? names.at(-1) : undefined, host)
}

function asRegistryError(error: unknown): RegistryError | undefined {
  if (error instanceof RegistryError) return error
  return isSkiffError(error, "NotFound") ? new RegistryError("NAME_UNKNOWN", "no such repository") : undefined
}

/** Browsers ask for a name and a password themselves; the tokens of the API are nothing to them. */
function failure({ status, message }: RegistryError) {
  const headers: Record<string, string> =
    status === 401 ? { "WWW-Authenticate": 'Basic realm="registry", charset="UTF-8"' } : {}
  const title = status === 401 ? "Log in to see this registry" : status === 404 ? "Not found" : "This cannot be shown"
  return {
    title,
    status,
    headers,
    content: html`<h1>${title}</h1>
      <p>${message}</p>
      <p><a href="/">All repositories</a></p>`,
  }
}

/** As the browser calls us: no other name is known to lead here. */
function hostOf(request: Request): string {
  const host = request.headers.get("Host") ?? ""
  return /^[A-Za-z0-9.:[\]-]{1,255}$/.test(host) ? host : "localhost"
}
