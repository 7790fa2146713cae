/** A network as elements of the firewall's sets: one more costs a batch of messages, and no rule. Pure. */
import { concatBytes } from "../sys/net/netlink.ts"
import type { ElementChange, SetElement } from "../sys/net/nfnetlink.ts"
import { hasResolver } from "./dns/has-resolver.ts"
import { OF_HOST, RESOLVED } from "./dns/redirect.ts"
import { broadcastAddress, macOfAddress, parseIpv4, parseIpv4Range } from "./ipv4.ts"
import { lastIpv6Address, parseIpv6, parseIpv6Range } from "./ipv6.ts"
import { areOpen, networkPolicy } from "./network-policy.ts"
import type { Network } from "./network.ts"
import { address6Field, addressField, nameField } from "./set-fields.ts"

/** Bridges. */
export const BRIDGES = "netifs"
/** Which bridge may send to which: to itself, where its members may; to others, where both networks say so. */
export const PAIRS = "netpairs"
/** Ranges of networks. */
export const SUBNETS = "subnets"
export const SUBNETS6 = "subnets6"
/** Those that leave with the host's address. */
export const MASQUERADED = "masqueraded"
export const MASQUERADED6 = "masqueraded6"
/** Bridges with no way out. */
export const INTERNAL = "internal"
/** Addresses of the host on bridges, and which is on which. */
export const GATEWAYS = "gateways"
export const OWN_GATEWAYS = "own_gateways"
export const GATEWAYS6 = "gateways6"
export const OWN_GATEWAYS6 = "own_gateways6"
/** Hardware addresses of bridges: what is sent there is routed. */
export const BRIDGE_MACS = "bridge_macs"
/** Ranges whose members answer by the host: what is led to them needs no other source address. */
export const ROUTED = "routed"
export const ROUTED6 = "routed6"
/** Their addresses, each with itself. */
export const SELVES = "selves"
export const SELVES6 = "selves6"
/** Interfaces of containers whose networks keep their members apart. */
export const APART = "apart"

/**
 * What a network adds to the sets of the table, beside the others of the store; `delete` takes all of it. Of two that are open to each other
 * the second by id names the pair.
 */
export function networkChanges(
  action: "add" | "delete",
  table: string,
  network: Network,
  others: readonly Network[],
): ElementChange[] {
  const { bridge, subnet, gateway, subnet6, gateway6 } = network
  const { virtual } = network.options
  const isRouted = network.options.routed === true
  const policy = networkPolicy(network)
  const named = others.filter(({ id }) => (action === "add" ? id < network.id : id !== network.id))
  const peers = named.filter((other) => areOpen(policy, networkPolicy(other)))
  const pairs = [
    ...(policy.icc ? [[bridge, bridge] as const] : []),
    ...peers.flatMap((other) => [[bridge, other.bridge] as const, [other.bridge, bridge] as const]),
  ]
  const own = nameField(bridge)
  const sets: Record<string, SetElement[]> = {
    [BRIDGES]: [{ key: own }],
    [PAIRS]: pairs.map(([from, to]) => ({ key: concatBytes([nameField(from), nameField(to)]) })),
    [SUBNETS]: interval(subnet),
    [MASQUERADED]: policy.masquerade ? interval(subnet) : [],
    [ROUTED]: isRouted ? interval(subnet) : [],
    [INTERNAL]: policy.internal ? [{ key: own }] : [],
    [GATEWAYS]: [{ key: addressField(parseIpv4(gateway)) }],
    [OWN_GATEWAYS]: [{ key: concatBytes([own, addressField(parseIpv4(gateway))]) }],
    [OF_HOST]: virtual === undefined ? [] : [{ key: addressField(parseIpv4(gateway)) }],
    [RESOLVED]: hasResolver(network) ? [{ key: concatBytes([own, addressField(parseIpv4(gateway))]) }] : [],
  }
  if (gateway6 !== undefined && subnet6 !== undefined) {
    const address = address6Field(parseIpv6(gateway6))
    sets[SUBNETS6] = interval6(subnet6)
    sets[MASQUERADED6] = policy.masquerade ? interval6(subnet6) : []
    sets[ROUTED6] = isRouted ? interval6(subnet6) : []
    sets[GATEWAYS6] = [{ key: address }]
    sets[OWN_GATEWAYS6] = [{ key: concatBytes([own, address]) }]
  }
  const mac = { key: macOfAddress(parseIpv4(gateway)) }
  return [
    ...Object.entries(sets).map(([set, elements]) => ({ action, family: "inet" as const, table, set, elements })),
    { action, family: "bridge", table, set: BRIDGE_MACS, elements: [mac] },
  ]
}

/** Who may send to nobody on its bridge. */
export function apartChanges(
  action: "add" | "delete",
  table: string,
  endpoints: readonly { hostInterface: string }[],
): ElementChange[] {
  const elements = endpoints.map(({ hostInterface }) => ({ key: nameField(hostInterface) }))
  return elements.length === 0 ? [] : [{ action, family: "bridge", table, set: APART, elements }]
}

/** Members of a routed network whose own published port leads them to themselves: they would answer without undoing it. */
export function selfChanges(
  action: "add" | "delete",
  table: string,
  endpoints: readonly { address: number; address6: string }[],
): ElementChange[] {
  const sets = {
    [SELVES]: endpoints.map(({ address }) => twice(addressField(address))),
    [SELVES6]: endpoints.flatMap(({ address6 }) =>
      address6 === "" ? [] : [twice(address6Field(parseIpv6(address6)))],
    ),
  }
  return Object.entries(sets).flatMap(([set, elements]) =>
    elements.length === 0 ? [] : [{ action, family: "inet" as const, table, set, elements }],
  )
}

const twice = (bytes: Uint8Array): SetElement => ({ key: concatBytes([bytes, bytes]) })

/** A set of ranges has the first of each, and the first that is no longer of it. */
function interval(subnet: string): SetElement[] {
  const range = parseIpv4Range(subnet)
  const last = broadcastAddress(range)
  const end: SetElement[] = last === 0xffffffff ? [] : [{ key: addressField(last + 1), isEnd: true }]
  return [{ key: addressField(range.address) }, ...end]
}

function interval6(subnet: string): SetElement[] {
  const range = parseIpv6Range(subnet)
  // none ends with the last of all addresses, which is multicast (check-ranges.ts)
  return [{ key: address6Field(range.address) }, { key: address6Field(lastIpv6Address(range) + 1n), isEnd: true }]
}
