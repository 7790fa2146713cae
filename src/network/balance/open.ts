import { addRoute, getLink, hasLink, listRoutes } from "../../sys/net/rtnetlink.ts"
import { hasErrno } from "../../base/errors.ts"
import type { NetlinkSocket } from "../../sys/net/netlink.ts"
import { broadcastAddress, parseIpv4Range } from "../ipv4.ts"
import { lastIpv6Address, parseIpv6Range } from "../ipv6.ts"
import type { HostSide } from "../host-side.ts"
import type { KernelNames } from "../names.ts"
import type { Network } from "../network.ts"
import { address6Field, addressField, nameField } from "../set-fields.ts"
import { isLoopback6Translated } from "../ipv6-host.ts"
import { LOOPBACK6, type PlacedElement } from "./elements.ts"
import type { RootlessUplink } from "../rootless-uplink.ts"
import { leadHostPorts } from "./host-ways.ts"
import { balanceTable } from "./remove.ts"
import { BalanceTable } from "./table.ts"
import { SETS } from "./tables.ts"
import type { VirtualPorts } from "./virtual-port.ts"

/** What virtual ports stand on. */
export interface OpenVirtualPortsDeps {
  host: HostSide
  names: KernelNames
  runRoot: string
  rootless: RootlessUplink | undefined
  /** The network as this host can have it, with its bridge and rules there. */
  ready(): Promise<Network>
}

/** The virtual ports of one network. */
export function openVirtualPorts({ host, names, runRoot, rootless, ready }: OpenVirtualPortsDeps): VirtualPorts {
  const name = balanceTable(names)
  let opened: Promise<BalanceTable> | undefined
  let network: Network | undefined
  let ways = 0
  let isLoopback6Led = false
  // of a namespace of our own, whose bridges nobody filters by br_netfilter
  const leadsLoopback6 = (): boolean => host.netns !== undefined || isLoopback6Translated()
  const open = async (): Promise<BalanceTable> => {
    const { netfilter } = await host.sockets()
    return new BalanceTable({ netfilter, table: name, file: `${runRoot}/virtual.nft`, netns: host.netns })
  }
  const table = (): Promise<BalanceTable> => (opened ??= open())
  return {
    async replace(ports) {
      network = await ready()
      const { route } = await host.sockets()
      leadRanges(route, network)
      isLoopback6Led = leadsLoopback6()
      await (await table()).replace(ports, placeOf(network), isLoopback6Led ? [LOOPBACK6] : [])
    },
    async change(set, remove = []) {
      ;(await table()).change(set, remove)
    },
    async lead(wanted) {
      if (rootless === undefined) return
      const { route } = await host.sockets()
      await leadHostPorts({ rootless, route, table: await table() }, wanted)
      ways = wanted.length
    },
    async isThere() {
      const { route } = await host.sockets()
      if (rootless !== undefined && rootless.ways().filter(({ isCarried }) => isCarried).length < ways) return false
      if (network === undefined || !hasRoutes(route, network)) return false
      if (leadsLoopback6() !== isLoopback6Led) return false
      return (await table()).isThere()
    },
  }
}

/** By the bridge: programs of this host call then by the address that is theirs on it, and are answered there. */
function leadRanges(route: NetlinkSocket, { bridge, options: { virtual } }: Network): void {
  if (virtual === undefined) return
  const { index } = getLink(route, bridge)
  const v4 = [virtual.services, virtual.balanced].map(parseIpv4Range)
  route.request(v4.map((destination) => addRoute(index, bridge, { destination })))
  if (virtual.services6 === undefined) return
  try {
    route.request([addRoute(index, bridge, { destination: parseIpv6Range(virtual.services6) })])
  } catch (error) {
    // a host, or a bridge, without IPv6
    if (!hasErrno(error, "EACCES", "EOPNOTSUPP", "EAFNOSUPPORT", "ENODEV", "EINVAL", "ENETUNREACH")) throw error
  }
}

function hasRoutes(route: NetlinkSocket, { bridge, options: { virtual } }: Network): boolean {
  if (virtual === undefined || !hasLink(route, bridge)) return false
  const { index } = getLink(route, bridge)
  const { address, prefixLength } = parseIpv4Range(virtual.services)
  return listRoutes(route).some(
    (one) => one.interfaceIndex === index && one.address === address && one.prefixLength === prefixLength,
  )
}

function placeOf({ bridge, options: { virtual } }: Network): PlacedElement[] {
  const ranges = virtual === undefined ? [] : [virtual.services, virtual.balanced].map(parseIpv4Range)
  const ends = ranges.flatMap((range) => {
    const next = broadcastAddress(range) + 1
    return [
      { key: addressField(range.address), isEnd: false },
      { key: addressField(next), isEnd: true },
    ]
  })
  // of ranges beside each other the end of one is the beginning of the next, and stands there once
  const starts = new Set(ends.filter(({ isEnd }) => !isEnd).map(({ key }) => key.join(".")))
  const v4 = ends.filter(({ key, isEnd }) => !isEnd || !starts.has(key.join(".")))
  const range6 = virtual?.services6 === undefined ? undefined : parseIpv6Range(virtual.services6)
  return [
    { set: SETS.bridges, element: { key: nameField(bridge) } },
    ...v4.map((element) => ({ set: SETS.ranges, element })),
    ...(range6 === undefined
      ? []
      : [
          { set: `${SETS.ranges}6`, element: { key: address6Field(range6.address) } },
          { set: `${SETS.ranges}6`, element: { key: address6Field(lastIpv6Address(range6) + 1n), isEnd: true } },
        ]),
  ]
}
