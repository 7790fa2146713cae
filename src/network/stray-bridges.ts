import { openSync } from "node:fs"
import type { Database } from "../base/database.ts"
import { hasErrno } from "../base/errors.ts"
import { tryLock, unlockAndClose } from "../sys/libc.ts"
import { NETLINK_ROUTE, NetlinkSocket, openNetlink } from "../sys/net/netlink.ts"
import { deleteLink, listLinks } from "../sys/net/rtnetlink.ts"
import type { KernelNames } from "./names.ts"
import { NETWORK_LOCK } from "./network-lock.ts"
import { bridgeQueueName, removeQueue } from "./queue.ts"
import { listNetworks } from "./network-records.ts"

/**
 * Removes bridges of this store that no network of its has: whoever made or removed one was killed between the kernel and the
 * records. The caller holds the lock under which networks are made (network-lock.ts), so none is on its way.
 */
export function removeStrayBridges(route: NetlinkSocket, db: Database, { alias, bridge }: KernelNames): void {
  const known = new Set([bridge, ...listNetworks(db).map((network) => network.bridge)])
  const links = listLinks(route)
  for (const { name, index, ...link } of links) {
    // what is still a port of it belongs to somebody
    if (link.alias !== alias || known.has(name) || links.some(({ master }) => master === index)) continue
    try {
      removeQueue(route, bridgeQueueName(name))
      deleteLink(route, name)
    } catch (error) {
      if (!hasErrno(error, "ENODEV")) throw error
    }
  }
}

/** The same for who makes no network himself. Not while somebody does: it is done by him. */
export function sweepStrayBridges(db: Database, names: KernelNames): void {
  const lock = openSync(NETWORK_LOCK, "a", 0o600)
  try {
    if (!tryLock(lock)) return
    using route = new NetlinkSocket(openNetlink(NETLINK_ROUTE))
    removeStrayBridges(route, db, names)
  } finally {
    unlockAndClose(lock)
  }
}
