/** Networks that a user makes and removes. */
import { openSync } from "node:fs"
import type { Database } from "../base/database.ts"
import { AlreadyExists, FailedPrecondition, hasErrno } from "../base/errors.ts"
import type { Events } from "../event/event.ts"
import { lockFile, unlockAndClose } from "../sys/libc.ts"
import { NETLINK_ROUTE, NetlinkSocket, openNetlink } from "../sys/net/netlink.ts"
import { deleteLink } from "../sys/net/rtnetlink.ts"
import { chooseSubnet } from "./choose-subnet.ts"
import { busyRanges, claimRange } from "./default-network.ts"
import type { HostSide } from "./host-side.ts"
import { overlaps, parseIpv4Range, type Ipv4Range } from "./ipv4.ts"
import type { KernelNames } from "./names.ts"
import { NETWORK_LOCK } from "./network-lock.ts"
import { deleteNetwork, findNetwork, insertNetwork, listNetworks } from "./network-records.ts"
import type { Network, NetworkWanted } from "./network.ts"
import { EndpointRecords, short } from "./records.ts"

/** What the making of networks stands on. */
export interface CreateNetworkDeps {
  db: Database
  names: KernelNames
  host: HostSide
  rootless: boolean
  events?: Pick<Events, "append">
}

/**
 * Writes a network down, with a bridge name and a range that nothing else has. As root its address stands in the kernel from then on, so
 * that no other store takes the range. Throws AlreadyExists.
 */
export function createNetwork({ db, names, rootless, events }: CreateNetworkDeps, wanted: NetworkWanted): Network {
  using route = new NetlinkSocket(openNetlink(NETLINK_ROUTE))
  const lock = rootless ? undefined : openSync(NETWORK_LOCK, "a", 0o600)
  try {
    if (lock !== undefined) lockFile(lock)
    return db.transaction(() => {
      if (findNetwork(db, wanted.name) !== undefined)
        throw new AlreadyExists(`network "${wanted.name}" already exists`, { data: { name: wanted.name } })
      const busy = busyRanges(db, route)
      const range = wanted.subnet === undefined ? chooseSubnet(busy) : freeRange(wanted.subnet, db)
      const bridge = wanted.bridge ?? nextBridge(db, names)
      const network = insertNetwork(db, { ...wanted, bridge, range })
      if (!rootless && network.driver === "bridge") claimRange(route, network, names.alias)
      const attributes = { name: network.name, type: network.driver }
      events?.append({ type: "network", action: "create", actor: { id: network.id, attributes } })
      return network
    })
  } finally {
    if (lock !== undefined) unlockAndClose(lock)
  }
}

function freeRange(subnet: string, db: Database): Ipv4Range {
  const range = parseIpv4Range(subnet)
  const holder = listNetworks(db).find((network) => overlaps(parseIpv4Range(network.subnet), range))
  if (holder !== undefined)
    throw new AlreadyExists(`subnet ${subnet} overlaps ${holder.subnet} of network "${holder.name}"`)
  return range
}

/** `skiff1` after `skiff0`: the first that no network of the store has. */
function nextBridge(db: Database, { bridge }: KernelNames): string {
  const taken = new Set(listNetworks(db).map((network) => network.bridge))
  for (let number = 1; ; number++) {
    const name = `${bridge.slice(0, -1)}${number}`
    if (!taken.has(name)) return name
  }
}

/** Throws FailedPrecondition, naming who is on it. */
export async function removeNetwork({ db, host, events }: CreateNetworkDeps, network: Network): Promise<void> {
  const { route } = await host.sockets()
  db.transaction(() => {
    const users = new EndpointRecords(db).list().filter(({ networkId }) => networkId === network.id)
    if (users.length > 0)
      throw new FailedPrecondition(
        `network "${network.name}" is used by ${users.map(({ containerId }) => short(containerId)).join(", ")}`,
        { data: { containers: users.map(({ containerId }) => containerId) } },
      )
    deleteNetwork(db, network)
    const attributes = { name: network.name, type: network.driver }
    events?.append({ type: "network", action: "destroy", actor: { id: network.id, attributes } })
  })
  if (network.driver !== "bridge") return
  try {
    deleteLink(route, network.bridge)
  } catch (error) {
    if (!hasErrno(error, "ENODEV")) throw error
  }
}
