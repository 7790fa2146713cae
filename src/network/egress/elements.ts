/** Rules of egress as elements of the guard's sets. Pure. */
import { NOWHERE, type EgressProtocol, type EgressTraffic } from "../../spec/docker/egress-rule.ts"
import { ipBytes } from "../../sys/net/ip-bytes.ts"
import type { ElementChange, SetElement } from "../../sys/net/nfnetlink.ts"
import { fields, nameField, portField } from "../set-fields.ts"
import { allowedRanges, parseRules, trafficTo, type AddressRange, type AllowedRange } from "./rules.ts"
import { parseIpv4 } from "../ipv4.ts"
import { parseIpv6 } from "../ipv6.ts"
import { ASKERS } from "../dns/redirect.ts"
import { LEVELS, LIFTED, setName, type EgressLevel } from "./tables.ts"

/** ipproto of each; that of IPv6 has an ICMP of its own. */
const NUMBERS: Record<EgressProtocol, number> = { tcp: 6, udp: 17, sctp: 132, icmp: 1 }
const ICMPV6 = 58

/** An endpoint that may not send everywhere: by rules of its own, of its network, or of both. */
export interface Confined {
  hostInterface: string
  /** Of its bridge: what it may not send goes there, to be answered. */
  bridgeMac: Uint8Array
  /** As the records keep them; undefined: this level says nothing. */
  rules: Partial<Record<EgressLevel, string>>
  /** Where names are answered, which it may ask. */
  resolvers: readonly string[]
  /** On a network where nobody else is answered. */
  asker?: { address: number; gateway: string }
  /** Addresses of names, as the resolver heard them. */
  heard: readonly HeardAddress[]
}

/** An address, and the names that have it until they are asked for again. */
export interface HeardAddress {
  address: string
  names: readonly string[]
  timeoutMs: number
}

/** All of an endpoint. */
export function confinedChanges(action: "add" | "delete", table: string, endpoint: Confined): ElementChange[] {
  const lifted = { key: nameField(endpoint.hostInterface), ...(action === "add" && { data: endpoint.bridgeMac }) }
  const { asker } = endpoint
  const asking = asker && { key: fields(ipBytes(asker.address), ipBytes(parseIpv4(asker.gateway))) }
  const changes: ElementChange[] = [
    change(action, table, LIFTED, [lifted]),
    { action, family: "inet", table, set: ASKERS, elements: asking === undefined ? [] : [asking] },
    ...LEVELS.flatMap((level) => levelChanges(action, table, endpoint, level)),
    ...LEVELS.flatMap((level) => heardChanges(action, table, endpoint, level, endpoint.heard)),
  ]
  return changes.filter(({ elements }) => elements.length > 0)
}

function levelChanges(
  action: "add" | "delete",
  table: string,
  { hostInterface, rules, resolvers }: Confined,
  level: EgressLevel,
): ElementChange[] {
  const text = rules[level]
  if (text === undefined) return []
  const own = nameField(hostInterface)
  const ranges = [...allowedRanges(parseRules(text)), ...resolvers.flatMap(questions)]
  const elements = ranges.map((one) => [one.range.family, element(own, one)] as const)
  return [
    change(action, table, setName("confined", level), [{ key: own }]),
    ...byFamily(action, table, "allowed", level, elements),
  ]
}

/** What names let through, for a level that has rules. */
export function heardChanges(
  action: "add" | "delete",
  table: string,
  { hostInterface, rules }: Pick<Confined, "hostInterface" | "rules">,
  level: EgressLevel,
  heard: readonly HeardAddress[],
): ElementChange[] {
  const own = nameField(hostInterface)
  const parsed = parseRules(rules[level] ?? NOWHERE)
  const elements = heard.flatMap(({ address, names, timeoutMs }) => {
    const range = rangeOf(address)
    const timeout = action === "add" ? { timeoutMs } : {}
    return trafficTo(names, parsed).map(
      (traffic) => [range.family, { ...element(own, { range, traffic }), ...timeout }] as const,
    )
  })
  return byFamily(action, table, "named", level, elements)
}

function byFamily(
  action: "add" | "delete",
  table: string,
  set: "allowed" | "named",
  level: EgressLevel,
  elements: readonly (readonly [4 | 6, SetElement])[],
): ElementChange[] {
  return ([4, 6] as const).map((family) =>
    change(
      action,
      table,
      setName(set, level, family),
      elements.flatMap(([of, one]) => (of === family ? [one] : [])),
    ),
  )
}

function change(action: "add" | "delete", table: string, set: string, elements: readonly SetElement[]): ElementChange {
  return { action, family: "bridge", table, set, elements }
}

/** Interface, address, protocol and port, from the first of each to the last. */
function element(own: Uint8Array, { range, traffic }: AllowedRange): SetElement {
  const address = (value: bigint): Uint8Array => ipBytes(range.family === 6 ? value : Number(value))
  const [firstProtocol, lastProtocol] = traffic === undefined ? [0, 255] : numbers(traffic, range)
  return {
    key: fields(own, address(range.first), protocolField(firstProtocol), portField(traffic?.first ?? 0)),
    keyEnd: fields(own, address(range.last), protocolField(lastProtocol), portField(traffic?.last ?? 0xffff)),
  }
}

function numbers({ protocol }: EgressTraffic, { family }: AddressRange): [number, number] {
  const number = protocol === "icmp" && family === 6 ? ICMPV6 : NUMBERS[protocol]
  return [number, number]
}

const protocolField = (number: number): Uint8Array => new Uint8Array([number, 0, 0, 0])

/** What goes to a resolver of ours. */
function questions(resolver: string): AllowedRange[] {
  const range = rangeOf(resolver)
  return (["udp", "tcp"] as const).map((protocol) => ({ range, traffic: { protocol, first: 53, last: 53 } }))
}

function rangeOf(address: string): AddressRange {
  const family = address.includes(":") ? 6 : 4
  const number = family === 6 ? parseIpv6(address) : BigInt(parseIpv4(address))
  return { family, first: number, last: number }
}
