/** How the firewall leads questions for names to the resolver. Pure. */
import type { ElementChange } from "../../sys/net/nfnetlink.ts"
import { addressField, fields, portField, PROTOCOL_NUMBERS } from "../set-fields.ts"

/** Set of bridges, each with its gateway, whose names are answered. */
export const RESOLVED = "resolved"
/** Set of containers, each with its gateway, that are answered on a network where others are not. */
export const ASKERS = "askers"
/** Set of gateways that the host itself may ask. */
export const OF_HOST = "resolved_of_host"
/** Map from a protocol to the resolver's address and port. Empty: nobody hears. */
const RESOLVER = "resolver"
const LOOPBACK = 0x7f000001

/** The set and the map, as text for nft(8). */
export const RESOLVER_SETS = `# who is asked for names: bridges with their gateways; where the resolver listens
  set ${RESOLVED} { type ifname . ipv4_addr; }
  set ${OF_HOST} { type ipv4_addr; }
  set ${ASKERS} { type ipv4_addr . ipv4_addr; }
  map ${RESOLVER} { type inet_proto : ipv4_addr . inet_service; }`

/** The rules, for a chain of type nat on the hook prerouting. */
export const RESOLVER_RULE = `ip saddr . ip daddr @${ASKERS} meta l4proto { tcp, udp } th dport 53 dnat ip to meta l4proto map @${RESOLVER}
    iifname . ip daddr @${RESOLVED} meta l4proto { tcp, udp } th dport 53 dnat ip to meta l4proto map @${RESOLVER}`

/** The same for the host's own programs, on the hook output. */
export const HOST_RESOLVER_RULE = `ip daddr @${OF_HOST} meta l4proto { tcp, udp } th dport 53 dnat ip to meta l4proto map @${RESOLVER}`

/** The resolver's port as a change of the map. */
export function resolverChange(action: "add" | "delete", table: string, port: number): ElementChange[] {
  const place = action === "add" ? { data: fields(addressField(LOOPBACK), portField(port)) } : {}
  const keys = [PROTOCOL_NUMBERS.udp, PROTOCOL_NUMBERS.tcp].map((number) => new Uint8Array([number]))
  const elements = keys.map((key) => Object.assign({ key }, place))
  return [{ action, family: "inet", table, set: RESOLVER, elements }]
}
