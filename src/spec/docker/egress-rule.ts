/** Where a container may send to, when it may not send anywhere else: `--allow-net`. */
import { InvalidArgument } from "../../base/errors.ts"
import { isIpAddress, isIpv4 } from "./ip-address.ts"

/** One place, and what may go there. */
export interface EgressRule {
  to: EgressDestination
  /** Default: everything. */
  traffic?: EgressTraffic
}

/** Addresses, or whatever addresses a name has; `*.example.org` stands for all names below it. */
export type EgressDestination =
  { kind: "addresses"; address: string; prefixLength: number } | { kind: "name"; name: string }

/** A protocol, and ports of it; ICMP has none. */
export interface EgressTraffic {
  protocol: EgressProtocol
  first: number
  last: number
}

/** ICMP stands for that of either family. */
export type EgressProtocol = "tcp" | "udp" | "sctp" | "icmp"

/** Stands for a list with nothing in it. */
export const NOWHERE = "none"

const HINT =
  "expected ADDRESS[/BITS], NAME or *.NAME, each with [:PORT[-PORT]][/PROTOCOL]; an IPv6 address with ports stands in brackets"
const LAST_PORT = 65_535
const LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
const NAME = new RegExp(String.raw`^(?:\*\.)?(?:${LABEL}\.)*${LABEL}$`)

/**
 * Parses `10.0.0.0/8`, `192.0.2.1:443`, `[2001:db8::1]:443/tcp`, `api.example.org:443`, `*.example.org`, `:53/udp` (of any address), `all`. A
 * port without its protocol is one of both TCP and UDP. Throws InvalidArgument.
 */
export function parseEgressRule(text: string): EgressRule[] {
  const [, rest = "", protocol] = /^(.*?)(?:\/(tcp|udp|sctp|icmp))?$/s.exec(text) ?? []
  const [destination, ports] = split(/^\d+(-\d+)?$/.test(rest) ? `:${rest}` : rest)
  const destinations = destinationsOf(destination, text)
  const traffics = trafficsOf(protocol as EgressProtocol | undefined, ports, text)
  return destinations.flatMap((to) => (traffics.length === 0 ? [{ to }] : traffics.map((traffic) => ({ to, traffic }))))
}

/** As `parseEgressRule` reads it. */
export function formatEgressRule({ to, traffic }: EgressRule): string {
  const place = to.kind === "name" ? to.name : `${to.address}/${to.prefixLength}`
  if (traffic === undefined) return place
  const { protocol, first, last } = traffic
  if (protocol === "icmp" || (first === 0 && last === LAST_PORT)) return `${place}/${protocol}`
  return `${place.includes(":") ? `[${place}]` : place}:${first === last ? first : `${first}-${last}`}/${protocol}`
}

/** Address and ports; an IPv6 address has colons of its own. */
function split(text: string): [string, string | undefined] {
  const [, inner, after] = /^\[([^\]]*)\](?::(.*))?$/.exec(text) ?? []
  if (inner !== undefined) return [inner, after]
  const colon = text.indexOf(":")
  return colon === -1 || text.includes(":", colon + 1)
    ? [text, undefined]
    : [text.slice(0, colon), text.slice(colon + 1)]
}

function destinationsOf(place: string, text: string): EgressDestination[] {
  if (place === "" || place === "all")
    return [
      { kind: "addresses", address: "0.0.0.0", prefixLength: 0 },
      { kind: "addresses", address: "::", prefixLength: 0 },
    ]
  const [address = "", bits, ...more] = place.split("/")
  if (isIpAddress(address)) {
    const most = isIpv4(address) ? 32 : 128
    const prefixLength = bits === undefined ? most : Number(bits)
    if (more.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits)) || prefixLength > most) return invalid(text)
    return [{ kind: "addresses", address, prefixLength }]
  }
  const name = place.toLowerCase().replace(/\.$/, "")
  if (name.length > 253 || !NAME.test(name)) return invalid(text)
  // 10.0.0 and 1.2.3.4.5 are no names
  if (/^[\d.]+$/.test(name)) return invalid(text)
  return [{ kind: "name", name }]
}

function trafficsOf(
  protocol: EgressProtocol | undefined,
  ports: string | undefined,
  text: string,
): readonly EgressTraffic[] {
  if (ports === undefined) return protocol === undefined ? [] : [{ protocol, first: 0, last: LAST_PORT }]
  const [, from = "", to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(ports) ?? []
  const [first, last] = [Number(from), Number(to)]
  if (from === "" || first < 1 || last > LAST_PORT || first > last || protocol === "icmp") return invalid(text)
  return (protocol === undefined ? (["tcp", "udp"] as const) : [protocol]).map((one) => ({
    protocol: one,
    first,
    last,
  }))
}

function invalid(text: string): never {
  throw new InvalidArgument(`"${text}" is no place that traffic can be allowed to`, {
    field: "egress.allow",
    hint: HINT,
  })
}
