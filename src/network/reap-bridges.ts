import { existsSync } from "node:fs"
import { hasErrno } from "../base/errors.ts"
import { NETLINK_NETFILTER, NetlinkSocket, openNetlink } from "../sys/net/netlink.ts"
import { deleteTable } from "../sys/net/nfnetlink.ts"
import { deleteLink, listLinks } from "../sys/net/rtnetlink.ts"
import { ALIAS_PREFIX, kernelNames } from "./names.ts"
import { bridgeQueueName, removeQueue } from "./queue.ts"

/**
 * Removes the bridges, with their tables, of stores that are no more: a bridge names its run root, and that directory is gone.
 * Otherwise each trial and each test with a store of its own would use up an address range until the next reboot.
 * The machine's own store is left alone, as are bridges that have a port: somebody still lives there.
 */
export function reapBridges(route: NetlinkSocket): void {
  const links = listLinks(route)
  const orphans = links.filter(({ name, alias, index }) => {
    const runRoot = alias.startsWith(ALIAS_PREFIX) ? alias.slice(ALIAS_PREFIX.length) : undefined
    // the name follows from the run root, so no one else's interface is taken for ours by what is written on it
    if (runRoot === undefined || !isBridgeOf(kernelNames(runRoot, false).bridge, name)) return false
    return !existsSync(runRoot) && !links.some(({ master }) => master === index)
  })
  if (orphans.length === 0) return
  using netfilter = new NetlinkSocket(openNetlink(NETLINK_NETFILTER))
  for (const { name, alias } of orphans) {
    const { table } = kernelNames(alias.slice(ALIAS_PREFIX.length), false)
    quietly(() => deleteTable(netfilter, "inet", table))
    quietly(() => deleteTable(netfilter, "bridge", table))
    quietly(() => removeQueue(route, bridgeQueueName(name)))
    quietly(() => deleteLink(route, name))
  }
}

/** `sk01234567` and a number; the machine's own are never reaped. */
function isBridgeOf(first: string, name: string): boolean {
  const stem = first.slice(0, -1)
  return stem !== "skiff" && name.startsWith(stem) && /^\d+$/.test(name.slice(stem.length))
}

/** Another process may have been faster. */
function quietly(body: () => unknown): void {
  try {
    body()
  } catch (error) {
    if (!hasErrno(error, "ENOENT", "ENODEV")) throw error
  }
}
