import { InvalidArgument } from "../../base/errors.ts"
import { isIpv4 } from "./ip-address.ts"
import type { Protocol } from "./port-mapping.ts"

/** Where a container may not send: addresses, ports of them, or by an interface of the host. */
export type Refusal =
  | {
      kind: "addresses"
      address: string
      prefixLength: number
      ports?: { protocol: Protocol; first: number; last: number }
    }
  | { kind: "interface"; name: string }

const HINT =
  "expected ADDRESS[/BITS][:PORT[-PORT][/PROTOCOL]], PORT[/PROTOCOL], or an interface of the host, such as wlan0"

/**
 * Parses what is refused: `10.0.0.0/8`, `192.0.2.1:25`, `:6000-6010/udp`, `25`, `all`, `wlan0`. A port without its protocol is refused
 * for both TCP and UDP. Throws InvalidArgument.
 */
export function parseRefusal(text: string): Refusal[] {
  if (/^[A-Za-z][\w.@-]{0,14}$/.test(text) && text !== "all" && !isIpv4(text))
    return [{ kind: "interface", name: text }]
  const [, range = "", ports] =
    /^([^:]*)(?::(.*))?$/.exec(/^\d{1,5}(-\d+)?(\/\w+)?$/.test(text) ? `:${text}` : text) ?? []
  const addresses = { kind: "addresses" as const, ...rangeOf(range, text) }
  if (ports === undefined) return range === "" ? invalid(text) : [addresses]
  const [, first = "", last = first, protocol] = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/.exec(ports) ?? []
  if (first === "" || Number(first) < 1 || Number(last) > 65_535 || Number(first) > Number(last)) return invalid(text)
  const protocols: Protocol[] = protocol === undefined ? ["tcp", "udp"] : [protocol as Protocol]
  return protocols.map((one) =>
    Object.assign({}, addresses, { ports: { protocol: one, first: Number(first), last: Number(last) } }),
  )
}

function rangeOf(range: string, text: string): { address: string; prefixLength: number } {
  if (range === "" || range === "all") return { address: "0.0.0.0", prefixLength: 0 }
  const [address = "", bits = "32", ...more] = range.split("/")
  if (!isIpv4(address) || !/^\d{1,2}$/.test(bits) || Number(bits) > 32 || more.length > 0) return invalid(text)
  return { address, prefixLength: Number(bits) }
}

function invalid(text: string): never {
  throw new InvalidArgument(`cannot refuse "${text}"`, { field: "networkLimits.refuse", hint: HINT })
}

/** As `parseRefusal` reads it. */
export function formatRefusal(refusal: Refusal): string {
  if (refusal.kind === "interface") return refusal.name
  const { address, prefixLength, ports } = refusal
  const range = `${address}/${prefixLength}`
  return ports === undefined ? range : `${range}:${ports.first}-${ports.last}/${ports.protocol}`
}
