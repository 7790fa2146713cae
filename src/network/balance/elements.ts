/** A virtual port as elements of the table's sets and maps. Pure. */
import type { SetElement } from "../../sys/net/nfnetlink.ts"
import { ipBytes } from "../../sys/net/ip-bytes.ts"
import { formatIpv6, parseIp, parseIpv6 } from "../ipv6.ts"
import { fields, nameField, portField, PROTOCOL_NUMBERS } from "../set-fields.ts"
import { drawChain, ENDPOINT_MARK, SERVICE_MARK, SETS, six, stayChain } from "./tables.ts"
import type { VirtualEndpoint, VirtualPort } from "./virtual-port.ts"

/** One element, and where it belongs. */
export interface PlacedElement {
  set: string
  element: SetElement
}

/** What is known of a virtual port beside itself. */
export interface Numbered {
  /** Of each family. */
  marks: Readonly<Record<4 | 6, number>>
  /** Whose lot is which, of each family: `10.244.0.7 8080`. */
  lots: Readonly<Record<4 | 6, readonly string[]>>
  /** Of endpoints that callers stay with. */
  markOf(endpoint: string): number
}

/** Of an address in its text form. */
export const familyOf = (address: string): 4 | 6 => (address.includes(":") ? 6 : 4)

/** In the form that lots name their owners by. */
export function ownerOf({ address, port }: VirtualEndpoint): string {
  return `${address.includes(":") ? formatIpv6(parseIpv6(address)) : address} ${port}`
}

function endpointOf(owner: string): VirtualEndpoint {
  const [address = "", port = "0"] = owner.split(" ")
  return { address, port: Number(port) }
}

/** A number of the host's byte order, as marks and lots are. */
function native(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}

const addressBytes = (address: string): Uint8Array => ipBytes(parseIp(address))

function destination(owner: string): Uint8Array {
  const { address, port } = endpointOf(owner)
  return fields(addressBytes(address), portField(port))
}

const isSticky = ({ staySeconds }: VirtualPort, family: 4 | 6): boolean => staySeconds !== undefined && family === 4

/** The set that lots of a family are in. */
export function lotSet(port: VirtualPort, family: 4 | 6): string {
  return isSticky(port, family) ? SETS.choices : six(SETS.endpoints, family)
}

/** One lot. */
export function lotElement(
  port: VirtualPort,
  family: 4 | 6,
  { marks, markOf }: Numbered,
  lot: number,
  owner: string,
): SetElement {
  const data = isSticky(port, family) ? native(markOf(owner)) : destination(owner)
  return { key: fields(native(marks[family]), native(lot)), data }
}

/** All but the lots. */
export function frontElements(port: VirtualPort, numbered: Numbered): PlacedElement[] {
  const { protocol, port: number, addresses, balanced, external = [], nodePort, staySeconds } = port
  const asked = fields(new Uint8Array([PROTOCOL_NUMBERS[protocol], 0, 0, 0]), portField(number))
  const found: PlacedElement[] = []
  const add = (set: string, element: SetElement): void => void found.push({ set, element })
  const hasAny = (family: 4 | 6): boolean => numbered.lots[family].length > 0
  for (const [map, list] of [
    [SETS.frontends, addresses],
    [SETS.balanced, [...balanced, ...external]],
  ] as const)
    for (const address of new Set(list)) {
      const family = familyOf(address)
      const key = fields(addressBytes(address), asked)
      if (hasAny(family)) add(six(map, family), { key, data: native(numbered.marks[family]) })
      else if (map === SETS.frontends || !addresses.includes(address)) add(six(SETS.unserved, family), { key })
    }
  found.push(...boundElements(port, asked))
  if (nodePort !== undefined) {
    const key = fields(new Uint8Array([PROTOCOL_NUMBERS[protocol], 0, 0, 0]), portField(nodePort))
    for (const family of [4, 6] as const)
      if (hasAny(family)) add(six(SETS.nodePorts, family), { key, data: native(numbered.marks[family]) })
    if (!hasAny(4) && !hasAny(6)) add(SETS.unservedPorts, { key })
  }
  for (const family of [4, 6] as const) {
    const lots = numbered.lots[family]
    if (lots.length === 0) continue
    const verdict = { kind: "goto" as const, chain: drawChain(lots.length, staySeconds !== undefined) }
    add(SETS.sizes, { key: native(numbered.marks[family]), verdict })
    if (!isSticky(port, family) || staySeconds === undefined) continue
    for (const owner of new Set(lots)) {
      const key = native(numbered.markOf(owner))
      add(SETS.staying, { key, data: destination(owner) })
      add(SETS.stays, { key, verdict: { kind: "goto", chain: stayChain(staySeconds) } })
    }
  }
  return found
}

/** Who may ask by a balanced address, where not everyone may. */
function boundElements({ balanced, sources }: VirtualPort, asked: Uint8Array): PlacedElement[] {
  if (sources === undefined) return []
  return [...new Set(balanced)].flatMap((address) => {
    const family = familyOf(address)
    const key = fields(addressBytes(address), asked)
    const own = sources.filter(({ first }) => familyOf(first) === family)
    const bounds: PlacedElement[] = [{ set: six(SETS.bounded, family), element: { key } }]
    for (const { first, last } of own) {
      const element = { key: fields(key, addressBytes(first)), keyEnd: fields(key, addressBytes(last)) }
      bounds.push({ set: six(SETS.allowed, family), element })
    }
    return bounds
  })
}

/** ::1, where the kernel leads it to ports of this host. */
export const LOOPBACK6: PlacedElement = { set: SETS.loopback6, element: { key: addressBytes("::1") } }

/** Whose packets must be undone by the host when they go to himself. */
export function hairpinElement(address: string): PlacedElement {
  const own = addressBytes(address)
  return { set: six(SETS.hairpin, familyOf(address)), element: { key: fields(own, own) } }
}

/** An interface by which callers of this host arrive. */
export function tapElements(name: string, mark: number): PlacedElement[] {
  return [
    { set: SETS.taps, element: { key: nameField(name), data: native(mark) } },
    { set: SETS.tapMarks, element: { key: native(mark) } },
  ]
}

/** A number for `text` that nobody else has in `taken`: the same one as long as there is no other claim to it. */
export function freeMark(kind: "service" | "endpoint", text: string, taken: ReadonlyMap<number, string>): number {
  const base = kind === "service" ? SERVICE_MARK : ENDPOINT_MARK
  for (let number = hash24(text); ; number = (number + 1) & 0xffffff) {
    const mark = base + number
    const owner = taken.get(mark)
    if (owner === undefined || owner === text) return mark
  }
}

/** FNV-1a, folded to 24 bits: only to spread names. */
export function hash24(text: string): number {
  const hash = Buffer.from(text).reduce((sum, byte) => Math.imul(sum ^ byte, 0x01000193) >>> 0, 0x811c9dc5)
  return (hash >>> 24) ^ (hash & 0xffffff)
}
