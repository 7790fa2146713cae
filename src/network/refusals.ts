/** Where endpoints may not send, as elements of the firewall's sets. Pure. */
import { InvalidArgument } from "../base/errors.ts"
import { parseRefusal, formatRefusal, type Refusal } from "../spec/docker/refusal.ts"
import type { ElementChange, SetElement } from "../sys/net/nfnetlink.ts"
import { broadcastAddress, formatIpv4, networkAddress, overlaps, parseIpv4, type Ipv4Range } from "./ipv4.ts"
import { addressField, fields, nameField, portField, PROTOCOL_NUMBERS } from "./set-fields.ts"

/** Ranges that an address may not send to: `source . destination`, of every protocol. */
export const REFUSED = "refused"
/** The same of ports: `source . destination . protocol . port`. */
export const REFUSED_PORTS = "refused_ports"
/** Interfaces of the host by which it may neither send nor be reached. */
export const REFUSED_LINKS = "refused_links"

/** An endpoint that is refused something: its refusals as text, separated by blanks. */
export interface Refused {
  address: number
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
  const all = endpoints.flatMap((endpoint) => refusalsOf(endpoint).map((one) => ({ address: endpoint.address, one })))
  const addresses = all.flatMap(({ address, one }) => (one.kind === "addresses" ? [{ address, one }] : []))
  const ranges = addresses.filter(({ one }) => one.ports === undefined)
  const ports = addresses.filter(({ one }) => one.ports !== undefined)
  const links = all.flatMap(({ address, one }) =>
    one.kind === "interface" ? [{ key: fields(addressField(address), nameField(one.name)) }] : [],
  )
  const changes: ElementChange[] = [
    {
      action,
      family: "bridge",
      table,
      set: REFUSED,
      elements: ranges.map(({ address, one }) => element(address, one)),
    },
    {
      action,
      family: "bridge",
      table,
      set: REFUSED_PORTS,
      elements: ports.map(({ address, one }) => element(address, one)),
    },
    { action, family: "inet", table, set: REFUSED_LINKS, elements: links },
  ]
  return changes.filter(({ elements }) => elements.length > 0)
}

/** From the first address (and port) to the last. */
function element(source: number, one: Addresses): SetElement {
  const range = rangeOf(one)
  const key = (destination: number, port: number | undefined): Uint8Array =>
    fields(
      addressField(source),
      addressField(destination),
      ...(one.ports === undefined || port === undefined
        ? []
        : [new Uint8Array([PROTOCOL_NUMBERS[one.ports.protocol], 0, 0, 0]), portField(port)]),
    )
  return { key: key(range.address, one.ports?.first), keyEnd: key(broadcastAddress(range), one.ports?.last) }
}
