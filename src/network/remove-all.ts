import { rmSync } from "node:fs"
import { ignoreErrno } from "../base/errors.ts"
import { deleteTable } from "../sys/net/nfnetlink.ts"
import { deleteLink, listLinks } from "../sys/net/rtnetlink.ts"
import { removeVirtualTables } from "./balance/remove.ts"
import type { HostSide } from "./host-side.ts"
import { ALIAS_PREFIX, type KernelNames } from "./names.ts"
import { NETWORK_LOCK } from "./network-lock.ts"
import { bridgeQueueName, removeQueue } from "./queue.ts"
import { removeOwnNetns } from "./own-netns.ts"
import type { RootlessUplink } from "./rootless-uplink.ts"

/** What the removal of all kernel objects of a store stands on. */
export interface RemoveAllDeps {
  runRoot: string
  names: KernelNames
  host: HostSide
  /** Undefined as real root. */
  rootless: RootlessUplink | undefined
}

/**
 * Takes all of a store's networks from the kernel: bridges, nftables tables, pasta. Its containers must be gone. Safe to
 * repeat. An ordinary user's bridge and table go with the network namespace that they are in.
 */
export async function removeAll({ runRoot, names, host, rootless }: RemoveAllDeps): Promise<void> {
  if (rootless !== undefined) {
    rootless.close()
    return removeOwnNetns(runRoot)
  }
  const { route, netfilter } = await host.sockets()
  for (const family of ["inet", "bridge"] as const)
    ignoreErrno("ENOENT", () => deleteTable(netfilter, family, names.table))
  removeVirtualTables(netfilter, names)
  // a recorded name may be an interface of somebody else's by now
  const own = listLinks(route).filter(({ alias }) => alias === names.alias)
  for (const { name } of own)
    ignoreErrno("ENODEV", () => {
      removeQueue(route, bridgeQueueName(name))
      deleteLink(route, name)
    })
  // the lock that stores take when they choose their ranges: it goes with the last of them
  if (!listLinks(route).some(({ alias }) => alias.startsWith(ALIAS_PREFIX))) rmSync(NETWORK_LOCK, { force: true })
}
