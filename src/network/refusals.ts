/** Where endpoints may not send, as elements of the firewall's sets. Pure. */
import { InvalidArgument } from "../base/errors.ts"
import { parseRefusal, formatRefusal, type Refusal } from "../spec/docker/refusal.ts"
import { ipBytes, type IpAddress } from "../sys/net/ip-bytes.ts"
import { parseIpv6 } from "./ipv6.ts"
import type { ElementChange, SetElement } from "../sys/net/nfnetlink.ts"
import { broadcastAddress, formatIpv4, networkAddress, overlaps, parseIpv4, type Ipv4Range } from "./ipv4.ts"
import { fields, nameField, portField, PROTOCOL_NUMBERS } from "./set-fields.ts"

/** Ranges that an address may not send to: `source . destination`, of every protocol. */
export const REFUSED = "refused"
/** The same of ports: `source . destination . protocol . port`. */
export const REFUSED_PORTS = "refused_ports"
/** Interfaces of the host by which it may neither send nor be reached. */
export const REFUSED_LINKS = "refused_links"

/** The same of IPv6, where the interface is the source: a container has the link's own address besides. */
export const REFUSED6 = "refused6"
export const REFUSED_PORTS6 = "refused_ports6"
export const REFUSED_LINKS6 = "refused_links6"

/** An endpoint that is refused something: its refusals as text, separated by blanks. */
export interface Refused {
  hostInterface: string
  address: number
  /** Empty: it has no IPv6. */
  address6: string
  refused: string
}

type Addresses = Extract<Refusal, { kind: "addresses" }>

/** As the records keep them. Throws InvalidArgument for two that overlap: the sets know none that do. */
export function refusalText(refusals: readonly Refusal[]): string {
  const kept: Refusal[] = []
  for (const one of refusals) {
    const normal = normalized(one)
    const other = kept.find((earlier) => doOverlap(earlier, normal))
    if (other === undefined) kept.push(normal)
    else if (formatRefusal(other) !== formatRefusal(normal))
      throw new InvalidArgument(`"${formatRefusal(normal)}" and "${formatRefusal(other)}" are refused together`, {
        field: "networkLimits.refuse",
        hint: "name the larger of the two alone",
      })
  }
  return kept.map(formatRefusal).join(" ")
}

function normalized(refusal: Refusal): Refusal {
  if (refusal.kind === "interface") return refusal
  const { address, prefixLength } = rangeOf(refusal)
  return { ...refusal, address: formatIpv4(address), prefixLength }
}

function rangeOf({ address, prefixLength }: Addresses): Ipv4Range {
  return { address: networkAddress(parseIpv4(address), prefixLength), prefixLength }
}

function doOverlap(one: Refusal, other: Refusal): boolean {
  if (one.kind === "interface" || other.kind === "interface")
    return one.kind === "interface" && other.kind === "interface" && one.name === other.name
  if (!overlaps(rangeOf(one), rangeOf(other)) || (one.ports === undefined) !== (other.ports === undefined)) return false
  if (one.ports === undefined || other.ports === undefined) return true
  const isApart = one.ports.last < other.ports.first || other.ports.last < one.ports.first
  return one.ports.protocol === other.ports.protocol && !isApart
}

/** All of an endpoint. */
function refusalsOf({ refused }: Refused): Refusal[] {
  return refused === "" ? [] : refused.split(" ").flatMap((text) => parseRefusal(text))
}

/** The elements that refuse it. */
export function refusalChanges(
  action: "add" | "delete",
  table: string,
  endpoints: readonly Refused[],
): ElementChange[] {
  const all = endpoints.flatMap((endpoint) => refusalsOf(endpoint).map((one) => ({ endpoint, one })))
  const addresses = all.flatMap(({ endpoint, one }) => (one.kind === "addresses" ? [{ endpoint, one }] : []))
  const ranges = addresses.filter(({ one }) => one.ports === undefined)
  const ports = addresses.filter(({ one }) => one.ports !== undefined)
  const links = all.flatMap(({ endpoint, one }) =>
    one.kind === "interface" ? [{ ...endpoint, link: nameField(one.name) }] : [],
  )
  const change = (family: ElementChange["family"], set: string, elements: SetElement[]): ElementChange[] =>
    elements.length === 0 ? [] : [{ action, family, table, set, elements }]
  const links6 = links.filter(({ address6 }) => address6 !== "")
  return [
    ...change("bridge", REFUSED, ranges.map(element)),
    ...change("bridge", REFUSED_PORTS, ports.map(element)),
    ...change("bridge", REFUSED6, ranges.filter(isEverywhere).map(element6)),
    ...change("bridge", REFUSED_PORTS6, ports.filter(isEverywhere).map(element6)),
    ...change(
      "inet",
      REFUSED_LINKS,
      links.map(({ address, link }) => linkKey(address, link)),
    ),
    ...change(
      "inet",
      REFUSED_LINKS6,
      links6.map(({ address6, link }) => linkKey(parseIpv6(address6), link)),
    ),
  ]
}

function linkKey(address: IpAddress, link: Uint8Array): SetElement {
  return { key: fields(ipBytes(address), link) }
}

interface RefusedAddresses {
  endpoint: Refused
  one: Addresses
}

/** All addresses, or a port of any: of IPv6 too. */
function isEverywhere({ one }: RefusedAddresses): boolean {
  return one.prefixLength === 0
}

/** From the first address (and port) to the last. */
function element({ endpoint, one }: RefusedAddresses): SetElement {
  const range = rangeOf(one)
  const key = (destination: number, port: number | undefined): Uint8Array =>
    fields(ipBytes(endpoint.address), ipBytes(destination), ...portFields(one, port))
  return { key: key(range.address, one.ports?.first), keyEnd: key(broadcastAddress(range), one.ports?.last) }
}

function element6({ endpoint, one }: RefusedAddresses): SetElement {
  const key = (destination: bigint, port: number | undefined): Uint8Array =>
    fields(nameField(endpoint.hostInterface), ipBytes(destination), ...portFields(one, port))
  return { key: key(0n, one.ports?.first), keyEnd: key((1n << 128n) - 1n, one.ports?.last) }
}

function portFields({ ports }: Addresses, port: number | undefined): Uint8Array[] {
  return ports === undefined || port === undefined
    ? []
    : [new Uint8Array([PROTOCOL_NUMBERS[ports.protocol], 0, 0, 0]), portField(port)]
}
