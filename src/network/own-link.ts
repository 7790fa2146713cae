/** Interfaces of the host that a store has made, and no others: another one may have a recorded name since the last boot. */
import { FailedPrecondition, ignoreErrno } from "../base/errors.ts"
import type { NetlinkSocket } from "../sys/net/netlink.ts"
import { deleteLink, listLinks, type Link } from "../sys/net/rtnetlink.ts"

/** Removes the interface if `alias` is written on it. Safe to repeat. */
export function deleteOwnLink(route: NetlinkSocket, name: string, alias: string): void {
  const link = listLinks(route).find((one) => one.name === name)
  if (link?.alias === alias) ignoreErrno("ENODEV", () => deleteLink(route, name))
}

/** Throws FailedPrecondition for a bridge of somebody else's. Its maker may be about to write on it: then its address tells. */
export function checkOwnBridge(link: Link, { alias, macAddress }: { alias: string; macAddress: Uint8Array }): void {
  const isBegun = link.alias === "" && Buffer.compare(link.macAddress, macAddress) === 0
  if (link.alias === alias || isBegun) return
  throw new FailedPrecondition(`the interface "${link.name}" of this host is none of the engine's`, {
    hint: "the bridge of a network has this name: rename the interface, or remove the network",
  })
}
