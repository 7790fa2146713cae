/** Addresses by which a container of an ordinary user reaches the host through pasta. */
import { NETLINK_ROUTE, NetlinkSocket, openNetlink } from "../sys/net/netlink.ts"
import { listAddresses, listRoutes } from "../sys/net/rtnetlink.ts"
import { formatIpv4 } from "./ipv4.ts"

/** A question to this address is put to the host's own name server, also to one on the host's loopback. */
export const DNS_FORWARDER = "169.254.1.3"

/**
 * What `host-gateway` means rootless: the host's own address on the way to the default route, since the bridge's gateway is
 * only the pause process's namespace. Programs that listen on the host's loopback alone stay out of reach. Undefined offline.
 */
export function rootlessHostGateway(): string | undefined {
  using route = new NetlinkSocket(openNetlink(NETLINK_ROUTE))
  const way = listRoutes(route).find(({ prefixLength }) => prefixLength === 0)
  const own = listAddresses(route).find(({ interfaceIndex }) => interfaceIndex === way?.interfaceIndex)
  return own === undefined ? undefined : formatIpv4(own.address)
}

/**
 * Of all that lies between containers and pasta, bridges too: it carries the bytes of connections, not packets of the host's
 * network, and takes ten times as long for them in pieces of 1,500.
 */
export const PASTA_MTU = 65_520

/** The pause process's way out: the interface that pasta makes. */
export const EGRESS_INTERFACE = "egress0"
