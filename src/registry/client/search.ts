/** What a registry has under a word: Docker Hub's own search, and the catalogue of any other (distribution spec, "Listing Repositories"). */
import * as v from "valibot"
import { Unsupported } from "../../base/errors.ts"
import { absent, checkDocument, parseDocument } from "../../spec/parse-document.ts"
import { MAX_MANIFEST_BYTES } from "../../spec/oci-image.ts"
import type { FoundRepository, RegistryOptions } from "../registry.ts"
import { answerError } from "./answer-error.ts"
import { findCredentials } from "./credentials.ts"
import { Endpoint } from "./endpoint.ts"
import { send, type HttpLimits } from "./http.ts"
import { locationsOf } from "./locations.ts"
import type { RegistriesConf } from "./registries-conf.ts"
import { tlsSettings } from "./tls.ts"

const HUB = "docker.io"
/** Of the catalogue: a registry that lists more is asked for the rest. */
const PAGE = 1000
const MAX_PAGES = 100
/** A name at a registry, with nothing in it that a terminal or a path would understand otherwise. */
const Name = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9._/-]{0,254}$/, "no name of a repository"))

const Results = v.object({
  results: v.array(
    v.object({
      name: Name,
      description: absent(v.string()),
      star_count: absent(v.number()),
      is_official: absent(v.boolean()),
    }),
  ),
})
const Catalogue = v.object({ repositories: absent(v.array(v.string())) })

/** See `Registries.search`. */
export async function search(
  registry: string,
  term: string,
  conf: RegistriesConf,
  options: RegistryOptions & { limit: number },
  limits: HttpLimits,
): Promise<FoundRepository[]> {
  return registry === HUB ? searchHub(term, options, limits) : searchCatalogue(registry, term, conf, options, limits)
}

async function searchHub(
  term: string,
  { limit, signal }: RegistryOptions & { limit: number },
  limits: HttpLimits,
): Promise<FoundRepository[]> {
  const url = new URL("https://index.docker.io/v1/search")
  url.searchParams.set("q", term)
  url.searchParams.set("n", String(limit))
  const what = `search for "${term}" at ${HUB}`
  const response = await send(
    { url, headers: { accept: "application/json" }, tls: tlsSettings(url.host), signal },
    limits,
  )
  if (response.status !== 200) throw await answerError(what, response, false)
  const document = parseDocument(await response.bytes(MAX_MANIFEST_BYTES), MAX_MANIFEST_BYTES, what)
  return checkDocument(Results, document, what).results.map((one) => ({
    registry: HUB,
    repository: one.name.includes("/") ? one.name : `library/${one.name}`,
    description: one.description ?? "",
    stars: one.star_count ?? 0,
    isOfficial: one.is_official ?? false,
  }))
}

/** The repositories that have the term in their name, by the registry's own list of all. */
export async function searchCatalogue(
  registry: string,
  term: string,
  conf: RegistriesConf,
  {
    limit,
    tlsVerify,
    certDir,
    authFile,
    signal,
    credentials: given,
    onlyGiven = false,
  }: RegistryOptions & { limit: number },
  limits: HttpLimits,
): Promise<FoundRepository[]> {
  const what = `search for "${term}" at ${registry}`
  const insecure = locationsOf({ registry, repository: "-" }, conf).at(-1)?.insecure ?? false
  let found = false
  const credentials = async () => {
    const result = given ?? (onlyGiven ? undefined : await findCredentials(registry, "", { authFile, signal }))
    found = result !== undefined
    return result
  }
  const scopes = ["registry:catalog:*"]
  const endpoint = new Endpoint(
    { registry, repository: "", insecure },
    { tlsVerify, certDir, limits, scopes, signal, credentials },
  )
  const names: string[] = []
  let last = ""
  for (let page = 0; page < MAX_PAGES && names.length < limit; page++) {
    const query = `_catalog?n=${PAGE}${last === "" ? "" : `&last=${encodeURIComponent(last)}`}`
    const response = await endpoint.get(query, { accept: "application/json" })
    if (response.status === 404) throw new Unsupported(`${registry} lists no repositories: it cannot be searched`)
    if (response.status !== 200) throw await answerError(what, response, found)
    const document = parseDocument(await response.bytes(MAX_MANIFEST_BYTES), MAX_MANIFEST_BYTES, what)
    const listed = checkDocument(Catalogue, document, what).repositories ?? []
    names.push(...listed.filter((name) => v.is(Name, name) && name.includes(term)))
    const next = listed.at(-1)
    if (listed.length < PAGE || next === undefined || next === last) break
    last = next
  }
  return names
    .slice(0, limit)
    .map((repository) => ({ registry, repository, description: "", stars: 0, isOfficial: false }))
}
