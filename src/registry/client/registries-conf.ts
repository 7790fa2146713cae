import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { hasErrno, InvalidArgument } from "../../base/errors.ts"

/** What `containers-registries.conf(5)`, version 2, says. */
export interface RegistriesConf {
  unqualifiedSearch: readonly string[]
  registries: readonly RegistryEntry[]
  /** Short name to full repository. */
  aliases: Readonly<Record<string, string>>
}

/** What registries.conf says of the names below a prefix. */
export interface RegistryEntry {
  prefix: string
  /** What the prefix is replaced by; "": the name stays as it is. */
  location: string
  insecure: boolean
  blocked: boolean
  mirrorByDigestOnly: boolean
  mirrors: readonly Mirror[]
}

/** Another place that has them. */
export interface Mirror {
  location: string
  insecure: boolean
  pullFrom: "all" | "digest-only" | "tag-only"
}

type Env = Record<string, string | undefined>

/**
 * Reads registries.conf where the field's tools look: `$CONTAINERS_REGISTRIES_CONF`, the user's, the host's; then the
 * drop-ins, host's first, each in order of its name; later ones win. Without any, docker's rule: `docker.io` alone.
 * Throws InvalidArgument naming the file.
 */
export async function loadRegistriesConf(env: Env = process.env): Promise<RegistriesConf> {
  const userDir = join(env.XDG_CONFIG_HOME ?? join(env.HOME ?? "/root", ".config"), "containers")
  const main = env.CONTAINERS_REGISTRIES_CONF
    ? [env.CONTAINERS_REGISTRIES_CONF]
    : [join(userDir, "registries.conf"), "/etc/containers/registries.conf"]
  const [first] = main.flatMap((path) => readText(path, path === env.CONTAINERS_REGISTRIES_CONF))
  const dropIns = ["/etc/containers/registries.conf.d", join(userDir, "registries.conf.d")].flatMap(readDropIns)
  const files = first ? [first, ...dropIns] : dropIns
  const parts = await Promise.all(files.map(parseRegistriesConf))
  const registries = new Map(parts.flatMap((part) => part.registries).map((entry) => [entry.prefix, entry]))
  return {
    unqualifiedSearch: parts.findLast((part) => part.unqualifiedSearch.length > 0)?.unqualifiedSearch ?? ["docker.io"],
    registries: [...registries.values()],
    aliases: Object.assign({}, ...parts.map((part) => part.aliases)) as Record<string, string>,
  }
}

interface ConfFile {
  path: string
  text: string
}

function readText(path: string, mustExist: boolean): ConfFile[] {
  try {
    return [{ path, text: readFileSync(path, "utf8") }]
  } catch (cause) {
    if (!mustExist && hasErrno(cause, "ENOENT", "ENOTDIR", "EACCES")) return []
    throw new InvalidArgument(`cannot read "${path}"`, { cause })
  }
}

function readDropIns(dir: string): ConfFile[] {
  let names: string[]
  try {
    names = readdirSync(dir)
  } catch (cause) {
    if (hasErrno(cause, "ENOENT", "ENOTDIR", "EACCES")) return []
    throw cause
  }
  return names
    .filter((name) => name.endsWith(".conf"))
    .toSorted()
    .flatMap((name) => readText(join(dir, name), false))
}

/** Parses one file. Throws InvalidArgument with the file and the place. */
export async function parseRegistriesConf({ path, text }: ConfFile): Promise<RegistriesConf> {
  const { parse } = await import("smol-toml")
  const fail = (why: string, cause?: unknown) => new InvalidArgument(`"${path}": ${why}`, { cause })
  let document: Record<string, unknown>
  try {
    document = parse(text)
  } catch (cause) {
    throw fail(cause instanceof Error ? cause.message : "not TOML", cause)
  }
  if (document.registries !== undefined)
    throw fail("is of version 1 ([registries.search])", "write [[registry]] and unqualified-search-registries instead")

  const registries = list(document.registry, "registry").map((entry): RegistryEntry => {
    const location = string(entry.location, "location")
    const prefix = string(entry.prefix, "prefix") || location
    if (prefix === "") throw fail("a [[registry]] has neither prefix nor location")
    if (location === "" && !prefix.startsWith("*.") && entry.blocked !== true)
      throw fail(`the [[registry]] "${prefix}" has no location`)
    return {
      prefix: trimSlash(prefix),
      location: trimSlash(location),
      insecure: boolean(entry.insecure, "insecure"),
      blocked: boolean(entry.blocked, "blocked"),
      mirrorByDigestOnly: boolean(entry["mirror-by-digest-only"], "mirror-by-digest-only"),
      mirrors: list(entry.mirror, "mirror").map((mirror) => ({
        location: trimSlash(string(mirror.location, "location")),
        insecure: boolean(mirror.insecure, "insecure"),
        pullFrom: pullFrom(mirror["pull-from-mirror"]),
      })),
    }
  })
  const search = document["unqualified-search-registries"] ?? []
  if (!Array.isArray(search)) throw fail('"unqualified-search-registries" is not a list')
  const aliases = Object.entries(table(document.aliases ?? {}, "aliases"))
  return {
    unqualifiedSearch: search.map((name) => string(name, "unqualified-search-registries")),
    registries,
    aliases: Object.fromEntries(aliases.map(([name, target]) => [name, string(target, `aliases.${name}`)])),
  }

  function string(value: unknown, key: string): string {
    if (value === undefined || typeof value === "string") return value ?? ""
    throw fail(`"${key}" is not a string`)
  }
  function boolean(value: unknown, key: string): boolean {
    if (value === undefined || typeof value === "boolean") return value ?? false
    throw fail(`"${key}" is not true or false`)
  }
  function table(value: unknown, key: string): Record<string, unknown> {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
    throw fail(`"${key}" is not a table`)
  }
  function list(value: unknown, key: string): Record<string, unknown>[] {
    if (value !== undefined && !Array.isArray(value)) throw fail(`"${key}" is not a list of tables`)
    return ((value ?? []) as unknown[]).map((entry) => table(entry, key))
  }
  function pullFrom(value: unknown): Mirror["pullFrom"] {
    if (value === undefined || value === "") return "all"
    if (value === "all" || value === "digest-only" || value === "tag-only") return value
    throw fail(`"pull-from-mirror" is none of all, digest-only, tag-only`)
  }
}

function trimSlash(text: string): string {
  return text.replace(/\/+$/, "")
}
