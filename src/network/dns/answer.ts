/** What is answered of our own knowledge, and what is not for us to answer. */
import { formatIpv4, parseIpv4 } from "../ipv4.ts"
import { formatIpv6, parseIpv6 } from "../ipv6.ts"
import { RecordType, ResponseCode, type AnswerRecord, type Query } from "./message.ts"
import { tryWriteName } from "./name.ts"
import type { NamedAnswer, NamedRecord, NameSource } from "./name-source.ts"
import { servicePort } from "./services.ts"
import type { Asker, Member, Zone, Zones } from "./zones.ts"

/** An answer of ours. */
export interface Answer {
  code: number
  /** The name is this one: its records are to be asked for, and come after ours. */
  alias?: string
  answers?: readonly AnswerRecord[]
  additional?: readonly AnswerRecord[]
}

/** Not ours to know: the servers of host, network or container are asked. */
export const ELSEWHERE = "elsewhere"

/** Podman's name for all of a container's networks. */
const PODMAN_SUFFIX = ".dns.podman"

const NO_SUCH_NAME: Answer = { code: ResponseCode.noSuchName }
const NO_DATA: Answer = { code: ResponseCode.success }

/** Asked of a top-level domain by who checks signatures or looks for name servers; of all other types a name without a dot is one of ours. */
const TOP_LEVEL_TYPES: ReadonlySet<number> = new Set([RecordType.ns, RecordType.soa, RecordType.ds, RecordType.dnskey])

/** Answers what is known here. A name that is known has no other records than ours, so an IPv6 address that it lacks is no matter of anybody's. */
export function answer(
  query: Query,
  asker: Asker,
  zones: Pick<Zones, "isOurs">,
  source?: NameSource,
): Answer | typeof ELSEWHERE {
  if (query.opcode !== 0) return { code: ResponseCode.notImplemented }
  if (!query.isInternet) return { code: ResponseCode.refused }
  if (query.edns !== undefined && query.edns.version > 0) return { code: ResponseCode.badVersion }
  const address = addressOfReverse(query.name)
  const known = asker.zones.some(({ network }) => network.options.virtual !== undefined) ? source : undefined
  if (address !== undefined)
    return pointer(known?.nameOf(address), query) ?? reverse(address, query, asker, zones) ?? outside(asker)
  const virtual = known?.find(query.name)
  if (virtual !== undefined) return sourced(query, virtual)
  const service = /^_([a-z0-9-]+)\._(tcp|udp|sctp)\.(.+)$/.exec(query.name)
  const [, port = "", protocol = "", owner = ""] = service ?? []
  const found = find(service === null ? query.name : owner, asker)
  if (found !== undefined)
    return service === null ? addresses(query, found) : services(query, found, servicePort(port, protocol), protocol)
  if (query.name.endsWith(PODMAN_SUFFIX)) return NO_SUCH_NAME
  // a name of a neighbour who is not there is nothing to tell the world of
  if (query.name !== "" && !query.name.includes(".") && !TOP_LEVEL_TYPES.has(query.type)) return NO_SUCH_NAME
  return outside(asker)
}

/** Of who is on internal networks alone nothing goes out, not even a question (CVE-2024-29018). */
function outside({ zones }: Asker): Answer | typeof ELSEWHERE {
  return zones.every(({ network }) => network.options.internal === true) ? NO_SUCH_NAME : ELSEWHERE
}

/** Those of this name on the first network that has one: `web`, `web.NETWORK`, `web.dns.podman`. */
function find(name: string, { zones }: Asker): { members: readonly Member[]; zone: Zone } | undefined {
  for (const zone of zones) {
    const members = zone.named.get(name)
    if (members !== undefined) return { members, zone }
  }
  if (name.endsWith(PODMAN_SUFFIX)) return find(name.slice(0, -PODMAN_SUFFIX.length), { zones } as Asker)
  for (const zone of zones) {
    const suffix = `.${zone.network.name.toLowerCase()}`
    const members = name.endsWith(suffix) ? zone.named.get(name.slice(0, -suffix.length)) : undefined
    if (members !== undefined) return { members, zone }
  }
  return undefined
}

let turn = 0

/** Each asker begins with another one, so that those who take the first share the load. */
function rotated<T>(items: readonly T[]): readonly T[] {
  if (items.length < 2) return items
  const first = turn++ % items.length
  return [...items.slice(first), ...items.slice(0, first)]
}

function addresses({ type }: Query, { members }: { members: readonly Member[] }): Answer {
  const wanted = type === RecordType.any ? [RecordType.a, RecordType.aaaa] : [type]
  const answers = rotated(members).flatMap((member) =>
    addressesOf(member).filter((record) => wanted.includes(record.type)),
  )
  return answers.length === 0 ? NO_DATA : { code: ResponseCode.success, answers }
}

function addressesOf({ address, address6 }: Member): AnswerRecord[] {
  return [
    { type: RecordType.a, data: ipv4Data(address) },
    ...(address6 === undefined ? [] : [{ type: RecordType.aaaa, data: ipv6Data(address6) }]),
  ]
}

/** `_http._tcp.web`: of those that publish the service's port, since only of a published one it is known that somebody listens for it. */
function services(
  { type }: Query,
  { members, zone }: { members: readonly Member[]; zone: Zone },
  port: number | undefined,
  protocol: string,
): Answer {
  const offering = members.filter(({ published }) =>
    published.some((one) => one.protocol === protocol && one.port === port),
  )
  if (offering.length === 0 || port === undefined) return NO_SUCH_NAME
  if (type !== RecordType.srv && type !== RecordType.any) return NO_DATA
  const targets = rotated(offering).flatMap((member) => {
    const name = ownName(member, zone)
    const target = name === undefined ? undefined : tryWriteName(name)
    return name === undefined || target === undefined ? [] : [{ member, name, target }]
  })
  return {
    code: ResponseCode.success,
    // RFC 2782: priority and weight are the same for all
    answers: targets.map(({ target }) => ({
      type: RecordType.srv,
      data: new Uint8Array([0, 0, 0, 0, port >> 8, port & 255, ...target]),
    })),
    additional: targets.flatMap(({ member, name }) =>
      addressesOf(member).map(({ type: kind, data }) => ({ name, type: kind, data })),
    ),
  }
}

/** `web.NETWORK`, as docker answers: a name that can be asked for again. */
function ownName({ names }: Member, { network }: Zone): string | undefined {
  const [name] = names
  return name === undefined ? undefined : `${name}.${network.name}`.toLowerCase()
}

function reverse(address: string, { type }: Query, asker: Asker, zones: Pick<Zones, "isOurs">): Answer | undefined {
  for (const zone of asker.zones) {
    const member = zone.members.find((one) => one.address === address || one.address6 === address)
    const name = member === undefined ? undefined : ownName(member, zone)
    const data = name === undefined ? undefined : tryWriteName(name)
    if (data === undefined) continue
    if (type !== RecordType.ptr && type !== RecordType.any) return NO_DATA
    return { code: ResponseCode.success, answers: [{ type: RecordType.ptr, data }] }
  }
  return zones.isOurs(address) ? NO_SUCH_NAME : undefined
}

function pointer(name: string | undefined, { type }: Query): Answer | undefined {
  const data = name === undefined ? undefined : tryWriteName(name)
  if (data === undefined) return undefined
  if (type !== RecordType.ptr && type !== RecordType.any) return NO_DATA
  return { code: ResponseCode.success, answers: [{ type: RecordType.ptr, data }] }
}

/** What a source of names says, of the type that is asked for. */
function sourced({ type }: Query, found: NamedAnswer | "none"): Answer {
  if (found === "none") return NO_SUCH_NAME
  if ("alias" in found) {
    const data = tryWriteName(found.alias)
    if (data === undefined) return NO_DATA
    const answers = [{ type: RecordType.cname, data }]
    return { code: ResponseCode.success, answers, ...(type !== RecordType.cname && { alias: found.alias }) }
  }
  const answers = rotated(found.records.flatMap(recordOf)).filter(
    (record) => type === RecordType.any || record.type === type,
  )
  const additional =
    answers.length === 0
      ? []
      : (found.additional ?? []).flatMap((one) =>
          recordOf(one).map(({ type: kind, data }) => ({ name: one.name, type: kind, data })),
        )
  return { code: ResponseCode.success, answers, additional }
}

function recordOf(record: NamedRecord): AnswerRecord[] {
  if (record.type === "address")
    return record.address.includes(":")
      ? [{ type: RecordType.aaaa, data: ipv6Data(record.address) }]
      : [{ type: RecordType.a, data: ipv4Data(record.address) }]
  if (record.type === "text") {
    const bytes = Buffer.from(record.text).subarray(0, 255)
    return [{ type: RecordType.txt, data: new Uint8Array([bytes.length, ...bytes]) }]
  }
  const target = tryWriteName(record.target)
  if (target === undefined) return []
  if (record.type === "pointer") return [{ type: RecordType.ptr, data: target }]
  // RFC 2782: priority and weight are the same for all
  return [
    { type: RecordType.srv, data: new Uint8Array([0, 0, 0, 100, record.port >> 8, record.port & 255, ...target]) },
  ]
}

/** The address that `2.0.18.172.in-addr.arpa` (RFC 1035, section 3.5) or its like of IPv6 (RFC 3596) asks for. */
function addressOfReverse(name: string): string | undefined {
  const [, octets] = /^((?:\d{1,3}\.){4})in-addr\.arpa$/.exec(name) ?? []
  if (octets !== undefined) {
    const numbers = octets.split(".").slice(0, 4).toReversed().map(Number)
    return numbers.every((number) => number <= 255) ? numbers.join(".") : undefined
  }
  const [, digits] = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name) ?? []
  return digits === undefined
    ? undefined
    : formatIpv6(BigInt(`0x${digits.replaceAll(".", "").split("").toReversed().join("")}`))
}

function ipv4Data(address: string): Uint8Array {
  const number = parseIpv4(address)
  return new Uint8Array([number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255])
}

function ipv6Data(address: string): Uint8Array {
  return Uint8Array.from(Buffer.from(parseIpv6(address).toString(16).padStart(32, "0"), "hex"))
}

/** The text of an address in a record. */
export function addressText(data: Uint8Array): string {
  if (data.length === 4) return formatIpv4(data.reduce((number, byte) => number * 256 + byte, 0))
  return formatIpv6(BigInt(`0x${Buffer.from(data).toString("hex")}`))
}
