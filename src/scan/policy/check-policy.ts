import { SEVERITIES, type Finding, type Publisher } from "../scan.ts"
import type { PolicyKind, PolicyRule } from "./policy-file.ts"

/** What breaks a policy: its rule's name, and what was found. */
export interface Violation {
  rule: string
  found: string
}

/** What a scan saw of an image. */
export interface Look {
  findings: readonly Finding[]
  /** What it did not: a rule on findings takes that for broken, as whoever makes an image also chooses what does not fit. */
  unseen?: readonly string[]
}

const KIND_OF = { vulnerability: "vuln", misconfiguration: "misconfig", secret: "secret", malware: "malware" } as const

/** How an image is called, and what of that is so. */
export interface ImageNames {
  /** Full names, with tags and with digests. */
  names: readonly string[]
  /** Its id, and its manifest's digest. */
  digests: readonly string[]
  /** Whether it came from there, or was made here under that name. An archive may call an image by any. */
  isProven(name: string): boolean
}

/**
 * The rules that concern an image; one without a name is concerned by those without patterns. One name that is not excepted is enough: a
 * second name is quickly given. A name excepts only what is proven to have it; a digest is proof.
 */
export function rulesFor(rules: readonly PolicyRule[], { names, digests, isProven }: ImageNames): PolicyRule[] {
  return rules.filter(({ images, except }) => {
    if (digests.some((digest) => except.includes(digest))) return false
    const asked = names.filter((name) => !(except.some((glob) => matches(name, glob)) && isProven(name)))
    if (names.length === 0) return images.length === 0
    return asked.length > 0 && (images.length === 0 || names.some((name) => images.some((glob) => matches(name, glob))))
  })
}

/** The looks that rules need. */
export function kindsOf(rules: readonly PolicyRule[]): PolicyKind[] {
  return [
    ...new Set(rules.flatMap(({ kinds, deny, severity }) => (deny.length > 0 || severity !== undefined ? kinds : []))),
  ]
}

/** What breaks the rules. Pure. */
export function violations(
  rules: readonly PolicyRule[],
  { findings, unseen = [] }: Look,
  publisher: Publisher | undefined,
): Violation[] {
  return rules.flatMap((rule) => {
    const found = findings.filter((finding) => isDenied(rule, finding)).map(textOf)
    if (rule.unsigned && publisher?.trust !== "signed")
      found.unshift(publisher?.evidence ?? "nothing is known of who published it")
    if (kindsOf([rule]).length > 0) for (const what of unseen) found.push(`not looked at: ${what}`)
    return [...new Set(found)].map((text) => ({ rule: rule.name, found: text }))
  })
}

function isDenied({ deny, severity, kinds, fixable }: PolicyRule, finding: Finding): boolean {
  if (finding.class === "end-of-life") return deny.includes("end-of-life")
  if (!kinds.includes(KIND_OF[finding.class])) return false
  if (
    finding.class === "vulnerability" &&
    (finding.ignoredBy !== undefined || (fixable && finding.fixedVersions.length === 0))
  )
    return false
  const ids =
    finding.class === "secret"
      ? [finding.ruleId]
      : "aliases" in finding
        ? [finding.id, ...finding.aliases]
        : [finding.id]
  if (deny.some((id) => ids.includes(id))) return true
  return severity !== undefined && SEVERITIES.indexOf(finding.severity) >= SEVERITIES.indexOf(severity)
}

function textOf(finding: Finding): string {
  if (finding.class === "end-of-life") return finding.message
  const place = "place" in finding && finding.place.path !== undefined ? ` (${finding.place.path})` : ""
  if (finding.class === "vulnerability") return `${finding.id}: ${finding.package.name} ${finding.package.version}`
  if (finding.class === "secret") return `${finding.ruleId}: ${finding.title}${place}`
  return `${finding.id}: ${finding.message}${place}`
}

/** `*` is anything, slashes too. In linear time. */
function matches(name: string, glob: string): boolean {
  const [first = "", ...rest] = glob.split("*")
  if (!name.startsWith(first)) return false
  if (rest.length === 0) return name === glob
  let at = first.length
  for (const [index, part] of rest.entries()) {
    if (index === rest.length - 1) return part === "" || (name.length - part.length >= at && name.endsWith(part))
    const found = name.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return true
}
