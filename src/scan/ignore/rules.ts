import type { IgnoredBy, Vulnerability } from "../scan.ts"

/** A finding that somebody decided about: what it is of, and whose word that is. */
export interface IgnoreRule {
  /** One of its ids; undefined: any. */
  id?: string
  /** Of a pattern `*` for one part, `**` for several. */
  paths?: readonly string[]
  /** Package URLs, with or without version and qualifiers. */
  purls?: readonly string[]
  /** A package's name, version, type. */
  package?: { name?: string; version?: string; type?: string; location?: string }
  /** `not-fixed`, `fixed`, `wont-fix`, `unknown`, as Grype says it. */
  fixState?: string
  by: IgnoredBy
}

/** The first rule that is about the finding. */
export function ruleFor(finding: Vulnerability, rules: readonly IgnoreRule[]): IgnoreRule | undefined {
  return rules.find((rule) => isAbout(rule, finding))
}

function isAbout(rule: IgnoreRule, { id, aliases, package: affected, status, fixedVersions }: Vulnerability): boolean {
  if (rule.id !== undefined && rule.id !== id && !aliases.includes(rule.id)) return false
  if (rule.purls !== undefined && !rule.purls.some((purl) => isSamePackage(purl, affected.purl))) return false
  if (rule.paths !== undefined && !rule.paths.some((glob) => isInGlob(glob, affected.path ?? ""))) return false
  if (rule.fixState !== undefined && !FIX_STATES[rule.fixState]?.(status, fixedVersions.length > 0)) return false
  const { name, version, type, location } = rule.package ?? {}
  return (
    (name === undefined || isInGlob(name, affected.name)) &&
    (version === undefined || version === affected.version) &&
    (type === undefined || type === affected.type) &&
    (location === undefined || isInGlob(location, affected.path ?? ""))
  )
}

const FIX_STATES: Readonly<Record<string, (status: string, isFixed: boolean) => boolean>> = {
  fixed: (_, isFixed) => isFixed,
  "not-fixed": (status, isFixed) => !isFixed && status !== "will_not_fix",
  "wont-fix": (status) => status === "will_not_fix",
  unknown: (status) => status === "unknown",
}

/** purl-spec: `wanted` may lack version and qualifiers; those that it has must be the same. */
export function isSamePackage(wanted: string, purl: string): boolean {
  const [a, b] = [partsOf(wanted), partsOf(purl)]
  if (a.name !== b.name) return false
  if (a.version !== undefined && a.version !== b.version) return false
  return [...a.qualifiers].every(([key, value]) => {
    const other = b.qualifiers.get(key)
    return other === null || other === value || (key === "distro" && isSameRelease(other, value))
  })
}

/** `debian-12`, and with the point that Trivy writes beside: `debian-12.5`. */
function isSameRelease(a: string, b: string): boolean {
  return a.startsWith(`${b}.`) || b.startsWith(`${a}.`)
}

function partsOf(purl: string): { name: string; version: string | undefined; qualifiers: URLSearchParams } {
  const [plain = ""] = purl.split("#")
  const query = plain.indexOf("?")
  const path = query < 0 ? plain : plain.slice(0, query)
  const at = path.lastIndexOf("@")
  const hasVersion = at > path.lastIndexOf("/")
  return {
    name: decoded(hasVersion ? path.slice(0, at) : path).toLowerCase(),
    version: hasVersion ? decoded(path.slice(at + 1)) : undefined,
    qualifiers: new URLSearchParams(query < 0 ? "" : plain.slice(query + 1)),
  }
}

/** A part of a URL without its escapes; as it is where they are none. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** `*` is of one part of a path, `**` of any number; a directory is of all that is in it. */
export function isInGlob(glob: string, path: string): boolean {
  const [wanted, parts] = [glob.replace(/^\/+|\/+$/g, "").split("/"), path.replace(/^\/+/, "").split("/")]
  return isInParts(wanted, parts)
}

/** Each `**` is tried once a part: bounded by the product of both lengths. */
function isInParts(wanted: readonly string[], parts: readonly string[]): boolean {
  // reachable[i]: the first i of `wanted` are of the parts so far
  let reachable = new Set([0])
  const skip = (positions: Set<number>) => {
    for (const each of positions) if (wanted[each] === "**") positions.add(each + 1)
    return positions
  }
  skip(reachable)
  for (const part of parts) {
    if (reachable.has(wanted.length)) return true
    const next = new Set<number>()
    for (const each of reachable) {
      const piece = wanted[each]
      if (piece === "**") next.add(each)
      else if (piece !== undefined && isPiece(piece, part)) next.add(each + 1)
    }
    reachable = skip(next)
    if (reachable.size === 0) return false
  }
  return reachable.has(wanted.length)
}

/** Stars of one part, without a regular expression: names are hostile. */
function isPiece(piece: string, text: string): boolean {
  const [first = "", ...rest] = piece.split("*")
  if (rest.length === 0) return piece === text
  if (!text.startsWith(first)) return false
  let at = first.length
  const last = rest.pop() ?? ""
  for (const middle of rest) {
    const found = text.indexOf(middle, at)
    if (found < 0) return false
    at = found + middle.length
  }
  return text.length - at >= last.length && text.endsWith(last)
}
