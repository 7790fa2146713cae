/**
 * Whether the rules of a store are still there: an administrator's `nft flush ruleset` takes them, and with them published ports,
 * the uplink, and what keeps networks apart. Small and cheap, since every command that looks at containers asks.
 */
import type { Database } from "../base/database.ts"
import { hasErrno } from "../base/errors.ts"
import { NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkSocket, openNetlink } from "../sys/net/netlink.ts"
import { hasElement, hasTable } from "../sys/net/nfnetlink.ts"
import { listLinks } from "../sys/net/rtnetlink.ts"
import { ipBytes } from "../sys/net/ip-bytes.ts"
import { isLoopback6Translated } from "./ipv6-host.ts"
import { kernelNames } from "./names.ts"
import { LOOPBACK6, NETWORKS, networkKey, UNGUARDED, type BridgeNetwork } from "./nftables.ts"

/** Whether both tables are there and know the network. Two questions to the kernel. */
export function hasTables(netfilter: NetlinkSocket, table: string, network: BridgeNetwork): boolean {
  const place = { table, set: NETWORKS, key: networkKey(network) }
  if (!hasElement(netfilter, { family: "inet", ...place })) return false
  if (hasElement(netfilter, { family: "bridge", ...place })) return true
  return hasElement(netfilter, { family: "inet", ...place, key: networkKey(UNGUARDED) })
}

/** Whether the records know of an endpoint, living or not. */
export function hasEndpoints(db: Database): boolean {
  return db.get("SELECT 1 FROM network_endpoints LIMIT 1") !== undefined
}

/** Whether a network that has endpoints lacks its rules. As real root: an ordinary user's rules are in a namespace of his own. */
export function isFirewallMissing(db: Database, runRoot: string): boolean {
  const networks = db.all<BridgeNetwork>(
    "SELECT bridge, gateway FROM networks WHERE driver = 'bridge' AND id IN (SELECT network_id FROM network_endpoints)",
  )
  if (networks.length === 0) return false
  const { table } = kernelNames(runRoot, false)
  try {
    using netfilter = new NetlinkSocket(openNetlink(NETLINK_NETFILTER))
    return !networks.every((network) => hasTables(netfilter, table, network))
  } catch (error) {
    // who may not look could not restore anything either (a root without CAP_NET_ADMIN)
    if (hasErrno(error, "EPERM", "EACCES", "EPROTONOSUPPORT")) return false
    throw error
  }
}

/**
 * Whether ::1 leads to published ports though the answers get lost: br_netfilter came after the rules (ipv6-host.ts). As real root. It costs
 * a look where there is no br_netfilter.
 */
export function losesLoopback6(runRoot: string): boolean {
  if (isLoopback6Translated()) return false
  const { table } = kernelNames(runRoot, false)
  try {
    using netfilter = new NetlinkSocket(openNetlink(NETLINK_NETFILTER))
    return hasElement(netfilter, { family: "inet", table, set: LOOPBACK6, key: ipBytes(1n) })
  } catch (error) {
    if (hasErrno(error, "EPERM", "EACCES", "EPROTONOSUPPORT")) return false
    throw error
  }
}

/** The same without the records, for who may not open them: how many containers are on the default bridge, and their rules. */
export function lookAtFirewall(runRoot: string): { containers: number; hasRules: boolean } {
  const { bridge, table } = kernelNames(runRoot, false)
  using route = new NetlinkSocket(openNetlink(NETLINK_ROUTE))
  using netfilter = new NetlinkSocket(openNetlink(NETLINK_NETFILTER))
  const links = listLinks(route)
  const index = links.find(({ name }) => name === bridge)?.index
  const containers = links.filter(({ master }) => index !== undefined && master === index).length
  return { containers, hasRules: hasTable(netfilter, "inet", table) }
}
