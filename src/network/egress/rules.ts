/** What rules of egress say together: which traffic may go to which addresses. Pure. */
import {
  formatEgressRule,
  NOWHERE,
  parseEgressRule,
  type EgressProtocol,
  type EgressRule,
  type EgressTraffic,
} from "../../spec/docker/egress-rule.ts"
import { formatIpv4, networkAddress, parseIpv4 } from "../ipv4.ts"
import { formatIpv6, ipv6NetworkAddress, parseIpv6 } from "../ipv6.ts"

/** Addresses from a first to a last one, of one family. */
export interface AddressRange {
  family: 4 | 6
  first: bigint
  last: bigint
}

/** What may go to a range: undefined is everything. */
export interface AllowedRange {
  range: AddressRange
  traffic: EgressTraffic | undefined
}

type Addresses = Extract<EgressRule["to"], { kind: "addresses" }>

/** As the records keep a list of rules; `none` for one with nothing in it. */
export function rulesText(rules: readonly EgressRule[]): string {
  const texts = new Set(rules.map((rule) => formatEgressRule(normalized(rule))))
  return texts.size === 0 ? NOWHERE : [...texts].join(" ")
}

/** The same as rules again. */
export function parseRules(text: string): EgressRule[] {
  return text === NOWHERE ? [] : text.split(" ").flatMap(parseEgressRule)
}

/** Whether names stand in them, for which a resolver must be asked. */
export function haveNames(rules: readonly EgressRule[] = []): boolean {
  return rules.some(({ to }) => to.kind === "name")
}

function normalized({ to, ...rest }: EgressRule): EgressRule {
  if (to.kind === "name") return { to, ...rest }
  const { address, prefixLength } = to
  const network = address.includes(":")
    ? formatIpv6(ipv6NetworkAddress(parseIpv6(address), prefixLength))
    : formatIpv4(networkAddress(parseIpv4(address), prefixLength))
  return { to: { kind: "addresses", address: network, prefixLength }, ...rest }
}

/**
 * What rules that name addresses say, as ranges of which no two overlap, for the sets of the kernel know none that do: between any two
 * ends of ranges the same rules hold.
 */
export function allowedRanges(rules: readonly EgressRule[]): AllowedRange[] {
  const all = rules.flatMap(({ to, traffic }) => (to.kind === "name" ? [] : [{ range: rangeOf(to), traffic }]))
  return ([4, 6] as const).flatMap((family) =>
    apart(
      all.filter(({ range }) => range.family === family),
      family,
    ),
  )
}

function apart(rules: readonly AllowedRange[], family: 4 | 6): AllowedRange[] {
  const starts = new Set(rules.flatMap(({ range }) => [range.first, range.last + 1n]))
  const edges = [...starts].toSorted((one, other) => (one < other ? -1 : 1))
  const found: AllowedRange[] = []
  for (const [index, first] of edges.entries()) {
    const next = edges[index + 1]
    if (next === undefined) break
    const here = rules.filter(({ range }) => range.first <= first && first <= range.last)
    const range = { family, first, last: next - 1n }
    for (const traffic of union(here.map((rule) => rule.traffic))) found.push({ range, traffic })
  }
  return found
}

/** What may go to an address that each of these names has: ports that touch become one range. */
export function trafficTo(names: readonly string[], rules: readonly EgressRule[]): (EgressTraffic | undefined)[] {
  const own = rules.filter(({ to }) => to.kind === "name" && names.some((name) => isNamed(name, to.name)))
  return union(own.map(({ traffic }) => traffic))
}

/** Undefined alone where one is everything; else of each protocol ranges of ports that are apart. */
function union(traffics: readonly (EgressTraffic | undefined)[]): (EgressTraffic | undefined)[] {
  const known = traffics.filter((traffic) => traffic !== undefined)
  if (known.length < traffics.length) return [undefined]
  return [...Map.groupBy(known, ({ protocol }) => protocol)].flatMap(([protocol, own]) => merged(protocol, own))
}

function merged(protocol: EgressProtocol, traffics: readonly EgressTraffic[]): EgressTraffic[] {
  const found: EgressTraffic[] = []
  for (const { first, last } of traffics.toSorted((one, other) => one.first - other.first)) {
    const before = found.at(-1)
    if (before !== undefined && first <= before.last + 1) before.last = Math.max(before.last, last)
    else found.push({ protocol, first, last })
  }
  return found
}

/** Whether a pattern stands for a name, which is in lower case and has no dot at its end. */
export function isNamed(name: string, pattern: string): boolean {
  if (!pattern.startsWith("*.")) return name === pattern
  return name.endsWith(pattern.slice(1)) && name.length > pattern.length - 1
}

function rangeOf({ address, prefixLength }: Addresses): AddressRange {
  const family = address.includes(":") ? 6 : 4
  const [bits, number] = family === 6 ? [128, parseIpv6(address)] : [32, BigInt(parseIpv4(address))]
  const rest = BigInt(bits - prefixLength)
  const first = (number >> rest) << rest
  return { family, first, last: first + (1n << rest) - 1n }
}
