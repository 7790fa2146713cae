/** The interface of the host that macvlan and ipvlan networks stand on. */
import { FailedPrecondition, hasErrno, InvalidArgument } from "../base/errors.ts"
import type { NetlinkSocket } from "../sys/net/netlink.ts"
import {
  createBridge,
  createChildLink,
  getLink,
  hasLink,
  linkUp,
  listLinks,
  setAlias,
  type Link,
} from "../sys/net/rtnetlink.ts"
import { macOfAddress, parseIpv4 } from "./ipv4.ts"
import type { Network } from "./network.ts"

/** `eth0.10`: VLAN 10 (IEEE 802.1Q) of eth0. */
const VLAN = /^(.+)\.(\d+)$/
const MOST_VLAN_ID = 4094

/** Ethernet's. */
const DEFAULT_MTU = 1500

/** The parent is there, or a VLAN that can be made. Throws InvalidArgument, naming the interfaces that are there. */
export function checkParent(route: NetlinkSocket, parent: string): void {
  if (hasLink(route, parent) || vlanOf(route, parent) !== undefined) return
  throw new InvalidArgument(`interface "${parent}" is not on this host`, {
    field: "driverOptions",
    hint: { valid: listLinks(route).flatMap(({ name }) => (name === "lo" ? [] : [name])) },
  })
}

/**
 * The link on which the network stands, up. A VLAN of an interface is made when it is not there, after a reboot again; so is a segment of
 * its own for a network without a parent. Safe to repeat and to race. Throws FailedPrecondition.
 */
export function openParent(route: NetlinkSocket, network: Network, alias: string): Link {
  const { name, bridge: parent, gateway, options } = network
  const isThere = hasLink(route, parent)
  const vlan = isThere ? undefined : vlanOf(route, parent)
  try {
    if (vlan !== undefined) {
      makeChild(route, { name: parent, parent: vlan.below.index, kind: { kind: "vlan", id: vlan.id } })
      setAlias(route, parent, alias)
    } else if (!isThere && options.driverOptions?.parent === undefined)
      makeSegment(route, parent, { macAddress: macOfAddress(parseIpv4(gateway)), mtu: DEFAULT_MTU, alias })
    const link = getLink(route, parent)
    if (!link.up) route.request([linkUp(link.index, parent)])
    return link
  } catch (cause) {
    if (!hasErrno(cause, "ENODEV")) throw cause
    throw new FailedPrecondition(`interface "${parent}", on which network "${name}" stands, is not on this host`, {
      hint: "ip link shows those that are",
      cause,
    })
  }
}

/** A bridge without ports: who stands on it reaches each other. Another process may have been faster. */
function makeSegment(route: NetlinkSocket, name: string, options: Parameters<typeof createBridge>[2]): void {
  try {
    createBridge(route, name, options)
  } catch (error) {
    if (!hasErrno(error, "EEXIST")) throw error
  }
}

/** As `createChildLink`; what the kernel does not know is said with its module. Another process may have been faster. */
export function makeChild(route: NetlinkSocket, options: Parameters<typeof createChildLink>[1]): void {
  try {
    createChildLink(route, options)
  } catch (cause) {
    const { kind } = options.kind
    if (kind === "vlan" && hasErrno(cause, "EEXIST")) return
    if (hasErrno(cause, "EOPNOTSUPP", "ENOTSUP"))
      throw new FailedPrecondition(`this kernel has no ${kind} interfaces`, {
        hint: `modprobe ${kind === "vlan" ? "8021q" : kind}`,
        cause,
      })
    if (hasErrno(cause, "EBUSY"))
      throw new FailedPrecondition(`the parent of the ${kind} interface is used by interfaces of another kind`, {
        hint: "macvlan and ipvlan, and passthru beside others, cannot share one: choose another parent",
        cause,
      })
    throw cause
  }
}

function vlanOf(route: NetlinkSocket, name: string): { below: Link; id: number } | undefined {
  const [, below = "", digits = ""] = VLAN.exec(name) ?? []
  const id = Number(digits)
  if (below === "" || id < 1 || id > MOST_VLAN_ID || !hasLink(route, below)) return undefined
  return { below: getLink(route, below), id }
}
