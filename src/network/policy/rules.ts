/** Policies of traffic as text for nft(8), with the elements of its sets apart. Pure. */
import { createHash } from "node:crypto"
import { FailedPrecondition } from "../../base/errors.ts"
import { ipBytes } from "../../sys/net/ip-bytes.ts"
import type { SetElement } from "../../sys/net/nfnetlink.ts"
import { withoutHostBits } from "../host-bits.ts"
import { contains, parseIpv4, parseIpv4Range } from "../ipv4.ts"
import { parseIp } from "../ipv6.ts"
import { fields, portField, PROTOCOL_NUMBERS } from "../set-fields.ts"
import type { TrafficPolicy, TrafficRule } from "./traffic-policy.ts"

const FAMILIES = [4, 6] as const
type Family = (typeof FAMILIES)[number]
type Direction = TrafficPolicy["direction"]

/** Chains of one kind: what is written, and which elements stand in its sets. */
export interface PolicyTable {
  /** All but the elements: the same text, the same chains and sets. */
  text: string
  /** By set. */
  elements: ReadonlyMap<string, ReadonlyMap<string, SetElement>>
}

/** Where the policies hold. */
export interface PolicyPlace {
  table: string
  bridge: string
  subnet: string
  subnet6?: string | undefined
  /** Who is asked for names, on port 53. */
  resolver: string
}

const familyOf = (address: string): Family => (address.includes(":") ? 6 : 4)
const ip = (family: Family): string => (family === 6 ? "ip6" : "ip")

/** The table that has these policies. Throws FailedPrecondition for a range that is none. */
export function policyTable(
  place: PolicyPlace,
  policies: readonly TrafficPolicy[],
  known: readonly string[],
): PolicyTable {
  const elements = new Map<string, Map<string, SetElement>>()
  const sets: string[] = []
  const chains: string[] = []
  const declare = (name: string, type: string, kind: "set" | "map" = "set"): void => {
    sets.push(`${kind} ${name} { type ${type}; }`)
    elements.set(name, new Map())
  }
  const addChain = (name: string, lines: readonly string[]): void =>
    void chains.push(`chain ${name} {\n${lines.map((line) => `    ${line}`).join("\n")}\n  }`)
  const put = (set: string, element: SetElement): void => void elements.get(set)?.set(hexOf(element.key), element)

  for (const family of FAMILIES) {
    const address = `ipv${family}_addr`
    declare(`known${family}`, address)
    declare(`self${family}`, `${address} . ${address}`)
    for (const map of ["receive", "send", "names"]) declare(`${map}${family}`, `${address} : verdict`, "map")
  }
  for (const address of known) put(`known${familyOf(address)}`, { key: bytesOf(address) })

  for (const policy of policies) {
    const name = nameOf("p", `${policy.direction} ${policy.key}`)
    const lines = policy.rules.flatMap((rule, index) =>
      ruleLines(rule, `${name}_${index}`, policy.direction, declare, put, addChain),
    )
    addChain(name, lines)
  }
  for (const direction of ["receive", "send"] as const) {
    const classes = new Map<string, TrafficPolicy[]>()
    for (const [address, own] of policiesOf(policies, direction)) {
      const chain = nameOf("c", `${direction} ${own.map(({ key }) => key).join("\n")}`)
      classes.set(chain, own)
      const key = bytesOf(address)
      const family = familyOf(address)
      put(`${direction}${family}`, { key, verdict: { kind: "jump", chain } })
      put(`self${family}`, { key: fields(key, key) })
      if (direction === "send") put(`names${family}`, { key, verdict: { kind: "jump", chain: `${chain}_names` } })
    }
    for (const [chain, own] of [...classes].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
      const jumps = own.map(({ key }) => `jump ${nameOf("p", `${direction} ${key}`)}`)
      chains.push(`chain ${chain} {\n    ${[...jumps, "goto refuse"].join("\n    ")}\n  }`)
      if (direction === "send") chains.push(namesChain(`${chain}_names`, own, place.resolver))
    }
  }
  return { text: tableText(place, sets, chains), elements }
}

function policiesOf(policies: readonly TrafficPolicy[], direction: Direction): Map<string, TrafficPolicy[]> {
  const found = new Map<string, TrafficPolicy[]>()
  for (const policy of policies) {
    if (policy.direction !== direction) continue
    for (const address of new Set(policy.members)) {
      const list = found.get(address)
      if (list === undefined) found.set(address, [policy])
      else list.push(policy)
    }
  }
  return found
}

function ruleLines(
  { peers, ports, places }: TrafficRule,
  name: string,
  direction: Direction,
  declare: (name: string, type: string) => void,
  put: (set: string, element: SetElement) => void,
  addChain: (name: string, lines: readonly string[]) => void,
): string[] {
  const other = direction === "receive" ? "saddr" : "daddr"
  const whom: { family?: Family; text: string }[] = []
  if (peers === undefined) whom.push({ text: "" })
  else {
    for (const family of FAMILIES) {
      const set = `${name}_peers${family}`
      declare(set, `ipv${family}_addr`)
      whom.push({ family, text: `${ip(family)} ${other} @${set} ` })
    }
    for (const address of peers.addresses) put(`${name}_peers${familyOf(address)}`, { key: bytesOf(address) })
    for (const { range, except } of peers.ranges) {
      const family = familyOf(range)
      const own = `${ip(family)} ${other}`
      const without = except.map((one) => `${own} != ${rangeText(one)} `).join("")
      whom.push({ family, text: `${own} ${rangeText(range)} ${without}` })
    }
  }
  const which: { family?: Family; text: string }[] = []
  if (ports === undefined && places === undefined) which.push({ text: "" })
  for (const [protocol, ranges] of mergedRanges(ports ?? []))
    which.push({
      text: ranges.some(([first, last]) => first === 0 && last === 65_535)
        ? `meta l4proto ${protocol} `
        : `${protocol} dport ${oneOf(ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)))} `,
    })
  if (places !== undefined) {
    for (const family of FAMILIES) {
      const set = `${name}_places${family}`
      declare(set, `ipv${family}_addr . inet_proto . inet_service`)
      which.push({ family, text: `${ip(family)} daddr . meta l4proto . th dport @${set} ` })
    }
    for (const { address, protocol, port } of places)
      put(`${name}_places${familyOf(address)}`, {
        key: fields(bytesOf(address), new Uint8Array([PROTOCOL_NUMBERS[protocol], 0, 0, 0]), portField(port)),
      })
  }
  const isMany = whom.length > 1 && (which.length > 1 || mergedRanges(ports ?? []).size > 0)
  if (isMany) {
    // one after the other: each of the peers with each of the ports would be a text without an end
    addChain(
      `${name}_ports`,
      which.map(({ text }) => `${text}accept`),
    )
    return whom.map(({ text }) => `${text}jump ${name}_ports`)
  }
  return whom.flatMap((one) =>
    which.flatMap((two) =>
      one.family !== undefined && two.family !== undefined && one.family !== two.family
        ? []
        : [`${one.text}${two.text}accept`],
    ),
  )
}

function oneOf(words: readonly string[]): string {
  return words.length === 1 ? `${words[0]}` : `{ ${words.join(", ")} }`
}

/** By protocol, in order, without those that touch: nft takes no set whose intervals overlap. */
function mergedRanges(ports: NonNullable<TrafficRule["ports"]>): Map<string, [first: number, last: number][]> {
  const found = new Map<string, [number, number][]>()
  for (const { protocol, first, last } of ports.toSorted((one, other) => one.first - other.first)) {
    const ranges = found.get(protocol) ?? []
    found.set(protocol, ranges)
    const before = ranges.at(-1)
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last)
    else ranges.push([first, last])
  }
  return found
}

/** What asks for names was led to the resolver before: what it asked is no longer to be seen. */
function namesChain(name: string, policies: readonly TrafficPolicy[], resolver: string): string {
  const protocols = (["udp", "tcp"] as const).filter((protocol) =>
    policies.some(({ rules }) => rules.some((rule) => letsAsk(rule, protocol, resolver))),
  )
  return `chain ${name} {\n    ${[...protocols.map((protocol) => `meta l4proto ${protocol} accept`), "goto refuse"].join("\n    ")}\n  }`
}

function letsAsk({ peers, ports, places }: TrafficRule, protocol: "tcp" | "udp", resolver: string): boolean {
  const isPort =
    (ports === undefined && places === undefined) ||
    ports?.some((one) => one.protocol === protocol && one.first <= 53 && one.last >= 53) === true ||
    places?.some((one) => one.protocol === protocol && one.address === resolver && one.port === 53) === true
  if (!isPort || peers === undefined) return isPort
  const has = (range: string): boolean =>
    !range.includes(":") && contains(parseIpv4Range(rangeText(range)), parseIpv4(resolver))
  return (
    peers.addresses.includes(resolver) ||
    peers.ranges.some(({ range, except }) => has(range) && !except.some((one) => has(one)))
  )
}

function tableText(
  { table, bridge, subnet, subnet6 }: PolicyPlace,
  sets: readonly string[],
  chains: readonly string[],
): string {
  const within: [Family, string][] = [[4, subnet], ...(subnet6 === undefined ? [] : [[6, subnet6] as [Family, string]])]
  const unknown = (side: "saddr" | "daddr"): string =>
    within
      .map(([family, range]) => `${ip(family)} ${side} ${range} ${ip(family)} ${side} != @known${family} drop`)
      .join("\n    ")
  const [from, to] = [`iifname "${bridge}"`, `oifname "${bridge}"`]
  return `table inet ${table}
delete table inet ${table}
table inet ${table} {
  ${sets.join("\n  ")}
  ${chains.join("\n  ")}
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject with icmpx type admin-prohibited
  }
  chain from_unknown {
    ${unknown("saddr")}
  }
  chain to_unknown {
    ${unknown("daddr")}
  }
  chain sent {
    type filter hook forward priority -4; policy accept;
    ct state established,related accept
    ip saddr . ip daddr @self4 accept
    ip6 saddr . ip6 daddr @self6 accept
    ${from} jump from_unknown
    ${from} ip saddr vmap @send4
    ${from} ip6 saddr vmap @send6
  }
  chain received {
    type filter hook forward priority -3; policy accept;
    ct state established,related accept
    ip saddr . ip daddr @self4 accept
    ip6 saddr . ip6 daddr @self6 accept
    ${to} jump to_unknown
    ${to} ip daddr vmap @receive4
    ${to} ip6 daddr vmap @receive6
  }
  # to this host itself
  chain sent_here {
    type filter hook input priority -4; policy accept;
    ct state established,related accept
    ${from} icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, mld-listener-report, mld2-listener-report } accept
    ${from} ip daddr 127.0.0.0/8 ct status dnat ip saddr vmap @names4
    ${from} ip daddr != 127.0.0.0/8 ip saddr vmap @send4
    ${from} ip6 saddr vmap @send6
  }
}
`
}

/** In the form that nft has it: a word of somebody's YAML must not become a rule. */
function rangeText(range: string): string {
  try {
    return withoutHostBits(range, "subnet")
  } catch (cause) {
    throw new FailedPrecondition(`"${range}" is no range of addresses`, { cause, hint: "such as 10.0.0.0/8" })
  }
}

/** Of at most 31 letters, as nft's names were for long. */
function nameOf(kind: string, text: string): string {
  return `${kind}_${createHash("sha256").update(text).digest("hex").slice(0, 12)}`
}

const bytesOf = (address: string): Uint8Array => ipBytes(parseIp(address))

export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
