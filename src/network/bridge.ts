/** The bridge of one network: made when it is not there, by whoever needs it first, whatever the others do meanwhile. */
import { hasErrno, ignoreErrno } from "../base/errors.ts"
import type { NetlinkSocket } from "../sys/net/netlink.ts"
import {
  addAddress,
  addLoopbackRoute,
  attachToBridge,
  createBridge,
  getLink,
  linkUp,
  listIpBytes,
  listLinks,
  listRoutes,
  markBridge,
  type Link,
} from "../sys/net/rtnetlink.ts"
import type { Sysctls } from "../sys/net/netns.ts"
import { mtuOf } from "./driver-options.ts"
import { macOfAddress, parseIpv4, parseIpv4Range } from "./ipv4.ts"
import { hasIpv6 } from "./choose-ipv6.ts"
import { parseIpv6, parseIpv6Range } from "./ipv6.ts"
import { ipBytes, type IpAddress } from "../sys/net/ip-bytes.ts"
import type { Network } from "./network.ts"
import { checkOwnBridge } from "./own-link.ts"

/** Settings of the host's side for one bridge. */
function bridgeSysctls({ bridge, ...network }: Network): Sysctls {
  return [
    ["net/ipv4/ip_forward", "1"],
    // what is published on 127.0.0.1 is reached through the bridge; on no other interface, where the raw guard stands too
    [`net/ipv4/conf/${bridge}/route_localnet`, "1"],
    // no router advertisement of a container is heard (CVE-2020-10749), and addresses are ours to give
    [`net/ipv6/conf/${bridge}/accept_ra`, "0"],
    [`net/ipv6/conf/${bridge}/autoconf`, "0"],
    [`net/ipv6/conf/${bridge}/accept_dad`, "0"],
    [`net/ipv6/conf/${bridge}/disable_ipv6`, network.subnet6 === undefined ? "1" : "0"],
  ]
}

/** The link of the bridge when it is whole: it is ours, up, its last step, and has the recorded address. */
export function findBridge(route: NetlinkSocket, network: Network, alias: string): Link | undefined {
  try {
    const link = getLink(route, network.bridge)
    if (!link.up || link.alias !== alias) return undefined
    const found = listIpBytes(route).filter(({ interfaceIndex }) => interfaceIndex === link.index)
    const has = (address: IpAddress): boolean => {
      const wanted = ipBytes(address)
      return found.some(({ bytes }) => Buffer.compare(bytes, wanted) === 0)
    }
    return gatewaysOf(network).every(({ address }) => has(address)) ? link : undefined
  } catch (error) {
    if (hasErrno(error, "ENODEV")) return undefined
    throw error
  }
}

/** The addresses of the host in the network. */
function gatewaysOf(network: Network): { address: IpAddress; prefixLength: number }[] {
  const { prefixLength } = parseIpv4Range(network.subnet)
  const gateway = { address: parseIpv4(network.gateway), prefixLength }
  if (!hasIpv6(network)) return [gateway]
  const range = parseIpv6Range(network.subnet6)
  return [gateway, { address: parseIpv6(network.gateway6), prefixLength: range.prefixLength }]
}

/** What a bridge is made with. */
export interface BridgeMaking {
  /** Tells the host whose the bridge is (kernelNames). */
  alias: string
  writeSysctls(sysctls: Sysctls): unknown
  /** Ends of containers that belong on the bridge. */
  hostInterfaces: readonly string[]
  /** In a namespace of our own the loopback may still be down. */
  loopback: boolean
  /** Default: that of the interface with the default route. */
  mtu?: number | undefined
  /** Bounds what is routed to and from it. */
  limit(): Promise<void>
}

/**
 * Makes the bridge, or finishes it, and takes back the host ends of containers that lost it. Safe to repeat and to race:
 * each step is one that another process may already have done. Throws FailedPrecondition where an interface of somebody else's has its name.
 */
export async function makeBridge(route: NetlinkSocket, network: Network, options: BridgeMaking): Promise<Link> {
  const gateway = parseIpv4(network.gateway)
  const mtu = mtuOf(network.options) ?? options.mtu ?? defaultMtu(route)
  const bridge = { macAddress: macOfAddress(gateway), mtu, alias: options.alias }
  ignoreErrno("EEXIST", () => createBridge(route, network.bridge, bridge))
  const made = getLink(route, network.bridge)
  checkOwnBridge(made, bridge)
  if (made.alias === "") markBridge(route, network.bridge, bridge)
  const { index } = made
  await options.writeSysctls(bridgeSysctls(network))
  for (const { address, prefixLength } of gatewaysOf(network))
    ignoreErrno("EEXIST", () => route.request([addAddress(index, network.bridge, address, prefixLength)]))
  if (options.loopback) route.request([linkUp(getLink(route, "lo").index, "lo")])
  // up comes last: then it is whole
  await options.limit()
  route.request([linkUp(index, network.bridge)])
  if (hasIpv6(network)) ignoreErrno("EEXIST", () => route.request([addLoopbackRoute(index, network.bridge)]))
  for (const link of listLinks(route))
    if (link.master !== index && options.hostInterfaces.includes(link.name)) attachToBridge(route, link.name, index)
  return getLink(route, network.bridge)
}

/** The MTU of the interface that the default route leaves by; Ethernet's without one. */
export function defaultMtu(route: NetlinkSocket): number {
  const way = listRoutes(route).find(({ prefixLength, table }) => prefixLength === 0 && table === MAIN_TABLE)
  return listLinks(route).find(({ index }) => index === way?.interfaceIndex)?.mtu ?? 1500
}

const MAIN_TABLE = 254
