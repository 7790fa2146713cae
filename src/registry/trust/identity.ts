/** Which reference a signature must name for an image: `signedIdentity` of containers-policy.json(5). */
import type { InvalidArgument } from "../../base/errors.ts"
import { formatReference, parseReference, type Reference } from "../../spec/reference.ts"
import type { RemoteReference } from "../registry.ts"
import { fullName } from "./scopes.ts"

/** By the man page's names. */
export type IdentityRule =
  | { type: "matchExact" | "matchRepoDigestOrExact" | "matchRepository" }
  | { type: "exactReference"; dockerReference: string }
  | { type: "exactRepository"; dockerRepository: string }
  | { type: "remapIdentity"; prefix: string; signedPrefix: string }

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  matchExact: [],
  matchRepoDigestOrExact: [],
  matchRepository: [],
  exactReference: ["dockerReference"],
  exactRepository: ["dockerRepository"],
  remapIdentity: ["prefix", "signedPrefix"],
}

/** The rule; the default where there is none. Throws what `fail` makes. */
export function parseIdentityRule(value: unknown, fail: (why: string) => InvalidArgument): IdentityRule {
  if (value === undefined) return { type: "matchRepoDigestOrExact" }
  const fields = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {}
  const type = String(fields.type)
  const names = Object.hasOwn(FIELDS, type) ? FIELDS[type] : undefined
  if (names === undefined) throw fail(`unknown signedIdentity "${type}"`)
  const other = Object.keys(fields).find((name) => name !== "type" && !names.includes(name))
  if (other !== undefined) throw fail(`unknown field "${other}" of signedIdentity ${type}`)
  for (const name of names)
    if (typeof fields[name] !== "string" || fields[name] === "") throw fail(`signedIdentity ${type} needs "${name}"`)
  const rule = fields as unknown as IdentityRule
  if (rule.type === "exactReference" && isNameOnly(parsed(rule.dockerReference) ?? NOTHING))
    throw fail(`"dockerReference" is no reference with a tag or a digest`)
  if (rule.type === "exactRepository" && !isNameOnly(parsed(rule.dockerRepository) ?? { ...NOTHING, tag: "" }))
    throw fail(`"dockerRepository" is no repository`)
  return rule
}

const NOTHING: Reference = { registry: "", repository: "" }

/** Whether a signature of `signed` counts for `ref`; undefined: an image that has no name at a registry. */
export function matchesIdentity(rule: IdentityRule, ref: RemoteReference | undefined, signed: string): boolean {
  const is = parsed(signed)
  if (is === undefined) return false
  if (rule.type === "exactReference") return isSame(is, parseReference(rule.dockerReference))
  if (rule.type === "exactRepository") return nameOf(is) === nameOf(parseReference(rule.dockerRepository))
  const wanted = ref === undefined ? undefined : parsed(fullName(ref))
  if (wanted === undefined) return false
  switch (rule.type) {
    case "matchRepository":
      return nameOf(is) === nameOf(wanted)
    case "matchExact":
      return isSame(is, wanted)
    case "matchRepoDigestOrExact":
      return repoDigestOrExact(is, wanted)
    case "remapIdentity": {
      const mapped = parsed(remapped(formatReference(wanted), rule.prefix, rule.signedPrefix))
      return mapped !== undefined && repoDigestOrExact(is, mapped)
    }
  }
}

/** Of an image that is asked for by digest the repository counts: that the digest is right is checked beside this. */
function repoDigestOrExact(is: Reference, wanted: Reference): boolean {
  if (isNameOnly(is)) return false
  return wanted.tag === undefined ? nameOf(is) === nameOf(wanted) : isSame(is, wanted)
}

/** With another prefix, which ends where a part of the path, or the name, ends; what lies elsewhere stays. */
function remapped(reference: string, prefix: string, signedPrefix: string): string {
  if (!reference.startsWith(prefix) || !"/:@".includes(reference.charAt(prefix.length))) return reference
  return `${signedPrefix}${reference.slice(prefix.length)}`
}

/** Undefined for what is no reference. */
function parsed(text: string): Reference | undefined {
  try {
    return parseReference(text)
  } catch {
    return undefined
  }
}

function isNameOnly({ tag, digest }: Reference): boolean {
  return tag === undefined && digest === undefined
}

function isSame(one: Reference, other: Reference): boolean {
  return formatReference(one) === formatReference(other)
}

function nameOf({ registry, repository }: Reference): string {
  return `${registry}/${repository}`
}
