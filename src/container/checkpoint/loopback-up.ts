import { NETLINK_ROUTE, NetlinkSocket, openNetlink } from "../../sys/net/netlink.ts"
import { inNetns, openNetns } from "../../sys/net/netns.ts"
import { getLink, linkUp } from "../../sys/net/rtnetlink.ts"
import { close } from "../../sys/libc.ts"
import type { Pid } from "../../sys/process/process.ts"

/** A restored network namespace has `lo` as a new one has: down. Only root restores, who may enter it. */
export function bringLoopbackUp(pid: Pid): void {
  const netns = openNetns(`/proc/${pid}/ns/net`)
  try {
    using route = new NetlinkSocket(inNetns(netns, () => openNetlink(NETLINK_ROUTE)))
    route.request([linkUp(getLink(route, "lo").index, "lo")])
  } finally {
    close(netns)
  }
}
