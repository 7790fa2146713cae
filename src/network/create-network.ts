/** Networks that a user makes. */
import { openSync } from "node:fs"
import { crashPoint } from "../base/crash-point.ts"
import type { Database } from "../base/database.ts"
import { AlreadyExists, InvalidArgument, Unsupported } from "../base/errors.ts"
import type { Events } from "../event/event.ts"
import { lockFile, unlockAndClose } from "../sys/libc.ts"
import { NETLINK_ROUTE, NetlinkSocket, openNetlink } from "../sys/net/netlink.ts"
import { hasLink } from "../sys/net/rtnetlink.ts"
import { checkedNetwork } from "./check-network.ts"
import { chooseSubnet, type AddressPool } from "./choose-subnet.ts"
import { busyRanges, claimRange } from "./default-network.ts"
import { hasMtu6 } from "./driver-options.ts"
import { checkRange6, takeRange } from "./free-range.ts"
import type { KernelNames } from "./names.ts"
import { NETWORK_LOCK } from "./network-lock.ts"
import { findNetwork, insertNetwork, listNetworks } from "./network-records.ts"
import type { Network, NetworkWanted } from "./network.ts"
import { TAP_PREFIX } from "./nftables.ts"
import { checkParent } from "./parent-interface.ts"
import { EGRESS_INTERFACE } from "./rootless-addresses.ts"
import { removeStrayBridges } from "./stray-bridges.ts"
import { chooseRange6 } from "./unique-local.ts"

/** What the making of networks stands on. */
export interface CreateNetworkDeps {
  db: Database
  names: KernelNames
  rootless: boolean
  events?: Pick<Events, "append">
  /** Where ranges come from that nobody asked for; default: Docker's and Podman's own. */
  addressPools?: readonly AddressPool[]
}

/**
 * Writes a network down, with a bridge name and a range that nothing else has. As root its address stands in the kernel from then on, so
 * that no other store takes the range. Throws InvalidArgument, Unsupported, AlreadyExists, Unavailable.
 */
export async function createNetwork(deps: CreateNetworkDeps, asked: NetworkWanted): Promise<Network> {
  const { db, names, rootless } = deps
  const isOfHost = asked.driver === "macvlan" || asked.driver === "ipvlan"
  // what is on the parent's network is known there alone
  const { ipv6 = !isOfHost, ...wanted } = checkedNetwork(asked)
  if (isOfHost && rootless)
    throw new Unsupported(`networks of driver ${asked.driver} stand on an interface of the host, which is root's`, {
      field: "driver",
      hint: "make it as root, or leave the driver out",
    })
  using route = new NetlinkSocket(openNetlink(NETLINK_ROUTE))
  await db.whenFree()
  const lock = rootless ? undefined : openSync(NETWORK_LOCK, "a", 0o600)
  try {
    if (lock !== undefined) lockFile(lock)
    return db.transaction(() => {
      if (findNetwork(db, wanted.name)?.name === wanted.name) throw nameTaken(wanted.name)
      if (!rootless) removeStrayBridges(route, db, names)
      const range =
        wanted.subnet === undefined
          ? chooseSubnet(busyRanges(db, route), deps.addressPools)
          : takeRange(wanted.subnet, db, isOfHost ? undefined : route)
      const { virtual } = wanted.options ?? {}
      if (virtual !== undefined)
        for (const one of [virtual.services, virtual.balanced]) takeRange(one, db, isOfHost ? undefined : route)
      if (wanted.subnet6 !== undefined) checkRange6(wanted.subnet6, db, isOfHost ? undefined : route)
      const range6 = ipv6 && wanted.subnet6 === undefined && hasMtu6(wanted.options ?? {}) ? chooseRange6() : {}
      const parent = isOfHost ? wanted.bridge : undefined
      if (parent !== undefined) checkParent(route, parent)
      // a network without a parent is one of its own, which leads nowhere
      if (isOfHost && parent === undefined) wanted.options = { ...wanted.options, internal: true }
      const bridge = freeBridge(deps, rootless || parent !== undefined ? undefined : route, wanted.bridge)
      const network = insertNetwork(db, { ...wanted, ...range6, bridge, range })
      if (!rootless && !isOfHost) claimRange(route, network, names.alias)
      crashPoint("network:claimed")
      const attributes = { name: network.name, type: network.driver }
      deps.events?.append({ type: "network", action: "create", actor: { id: network.id, attributes } })
      return network
    })
  } finally {
    if (lock !== undefined) unlockAndClose(lock)
  }
}

function nameTaken(name: string): AlreadyExists {
  return new AlreadyExists(`network "${name}" already exists`, {
    hint: { do: "listNetworks" },
    data: { object: "network", name },
  })
}

/** The wanted name, or the first after `skiff0` that no network of the store and no interface of the host has. */
function freeBridge({ db, names }: CreateNetworkDeps, route: NetlinkSocket | undefined, wanted?: string): string {
  const networks = listNetworks(db)
  const onHost = (name: string): boolean => route !== undefined && hasLink(route, name)
  if (wanted === undefined) {
    const taken = new Set(networks.map((network) => network.bridge))
    for (let number = 1; ; number++) {
      const name = `${names.bridge.slice(0, -1)}${number}`
      if (!taken.has(name) && !onHost(name)) return name
    }
  }
  const holder = networks.find(({ bridge }) => bridge === wanted)
  if (isReserved(wanted, names)) throw reserved(wanted)
  if (holder === undefined && wanted !== names.bridge && !onHost(wanted)) return wanted
  throw new AlreadyExists(
    holder === undefined
      ? `interface "${wanted}" is on this host already`
      : `interface "${wanted}" is that of network "${holder.name}"`,
    { field: "bridge", hint: "choose another; a VLAN of an interface is one, too: eth0.10" },
  )
}

/** What the engine's own interfaces are called: the rules know them by it. */
function isReserved(name: string, { port }: KernelNames): boolean {
  return name === EGRESS_INTERFACE || name.startsWith(port) || new RegExp(`^${TAP_PREFIX}\\d+$`).test(name)
}

function reserved(name: string): InvalidArgument {
  return new InvalidArgument(`no bridge can be named "${name}": interfaces of containers are called so`, {
    field: "bridge",
  })
}
