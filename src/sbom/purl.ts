import type { PackageType } from "./package.ts"

/** A package URL in its parts (purl-spec), each decoded. */
export interface PackageUrl {
  type: string
  namespace?: string
  name: string
  version?: string
  qualifiers: ReadonlyMap<string, string>
}

const MAX_PURL = 4096

/** Undefined for what is none. */
export function parsePurl(text: string): PackageUrl | undefined {
  if (text.length > MAX_PURL || !text.startsWith("pkg:")) return undefined
  const [withoutPart = ""] = text.slice(4).replace(/^\/+/, "").split("#")
  const [path = "", query = ""] = split(withoutPart, "?")
  const [type = "", rest = ""] = split(path, "/")
  const at = rest.lastIndexOf("@")
  // an `@` before the last `/` is a scope's
  const hasVersion = at > 0 && at > rest.lastIndexOf("/")
  const parts = (hasVersion ? rest.slice(0, at) : rest).split("/").filter((part) => part !== "")
  const decoded = parts.map(decode)
  const name = decoded.pop()
  if (type === "" || name === undefined || name === "") return undefined
  const qualifiers = new Map<string, string>()
  for (const pair of query.split("&")) {
    const [key = "", value = ""] = split(pair, "=")
    if (key !== "" && value !== "") qualifiers.set(key.toLowerCase(), decode(value))
  }
  const version = hasVersion ? decode(rest.slice(at + 1)) : undefined
  return {
    type: type.toLowerCase(),
    ...(decoded.length === 0 ? {} : { namespace: decoded.join("/") }),
    name,
    ...(version === undefined ? {} : { version }),
    qualifiers,
  }
}

const TYPES: Readonly<Record<string, PackageType>> = Object.fromEntries(
  (
    "deb apk rpm alpm pypi npm golang cargo maven gem nuget composer hex pub swift cocoapods conan conda bitnami julia generic".split(
      " ",
    ) as PackageType[]
  ).map((type) => [type, type]),
)

/** The type as ours; `generic` for what nobody matches. */
export function typeOfPurl({ type }: PackageUrl): PackageType {
  return (Object.hasOwn(TYPES, type) ? TYPES[type] : undefined) ?? "generic"
}

/** The name as `Package` has it. */
export function nameOfPurl({ type, namespace, name }: PackageUrl): string {
  if (namespace === undefined || ["deb", "apk", "rpm", "alpm"].includes(type)) return name
  return type === "maven" ? `${namespace}:${name}` : `${namespace}/${name}`
}

function split(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)]
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
