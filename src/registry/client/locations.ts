import { InvalidArgument, PermissionDenied } from "../../base/errors.ts"
import type { RemoteReference, ShortNameCandidate } from "../registry.ts"
import type { RegistriesConf, RegistryEntry } from "./registries-conf.ts"

/** A place that may have an image: a mirror, or the registry itself. */
export interface Location {
  /** As configured: `docker.io`, `mirror.example:5000`. */
  registry: string
  repository: string
  insecure: boolean
}

/**
 * Where to look for `ref`: its mirrors in their order, then the registry. Throws PermissionDenied when registries.conf
 * blocks it.
 */
export function locationsOf(ref: RemoteReference, conf: RegistriesConf): Location[] {
  const name = `${ref.registry}/${ref.repository}`
  const entry = findEntry(name, conf)
  if (!entry) return [{ registry: ref.registry, repository: ref.repository, insecure: false }]
  if (entry.blocked)
    throw new PermissionDenied(`registry "${entry.prefix}" is blocked by registries.conf`, {
      hint: "remove `blocked = true` there to use it",
    })
  const byDigest = ref.digest !== undefined
  const mirrors = entry.mirrors
    .filter(({ pullFrom }) => pullFrom === "all" || pullFrom === (byDigest ? "digest-only" : "tag-only"))
    .filter(() => byDigest || !entry.mirrorByDigestOnly)
  return [...mirrors, entry].map(({ location, insecure }) => {
    const { registry, repository } = rewrite(name, entry.prefix, location)
    return { registry, repository, insecure }
  })
}

/** The entry with the longest prefix that `name` lies under. */
function findEntry(name: string, conf: RegistriesConf): RegistryEntry | undefined {
  return conf.registries
    .filter(({ prefix }) => matchedLength(name, prefix) > 0)
    .toSorted((a, b) => b.prefix.length - a.prefix.length)[0]
}

/** How much of `name` the prefix covers; 0: it does not. `*.example.com` covers any host below example.com. */
export function matchedLength(name: string, prefix: string): number {
  let end = prefix.length
  if (prefix.startsWith("*.")) {
    const at = name.indexOf(prefix.slice(1))
    if (at <= 0 || name.slice(0, at).includes("/")) return 0
    end = at + prefix.length - 1
  } else if (!name.startsWith(prefix)) return 0
  return end === name.length || "/:@".includes(name.charAt(end)) ? end : 0
}

function rewrite(name: string, prefix: string, location: string): { registry: string; repository: string } {
  const full = location === "" ? name : location + name.slice(matchedLength(name, prefix))
  const slash = full.indexOf("/")
  if (slash <= 0 || slash === full.length - 1)
    throw new InvalidArgument(`registries.conf turns "${name}" into "${full}", which is not a repository name`)
  return { registry: full.slice(0, slash), repository: full.slice(slash + 1) }
}

/**
 * The full repositories that a short name may mean: its alias, else the name on each registry of
 * unqualified-search-registries. Of an alias whose registry is not there, docker's official image of that name, which
 * BuildKit would have taken in the first place; never a name there that anybody can register.
 */
export function searchNames(shortRepository: string, conf: RegistriesConf): ShortNameCandidate[] {
  const alias = Object.hasOwn(conf.aliases, shortRepository) ? conf.aliases[shortRepository] : undefined
  if (alias) {
    const slash = alias.indexOf("/")
    if (slash > 0) {
      const official = { registry: "docker.io", repository: `library/${shortRepository}`, fallback: true } as const
      const other = shortRepository.includes("/") || alias === `docker.io/${official.repository}` ? [] : [official]
      return [{ registry: alias.slice(0, slash), repository: alias.slice(slash + 1) }, ...other]
    }
    throw new InvalidArgument(
      `registries.conf gives "${shortRepository}" the alias "${alias}", which is not a full name`,
    )
  }
  return conf.unqualifiedSearch.map((registry) => ({
    registry,
    repository:
      registry === "docker.io" && !shortRepository.includes("/") ? `library/${shortRepository}` : shortRepository,
  }))
}
