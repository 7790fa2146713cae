import type { NetlinkSocket } from "../sys/net/netlink.ts"
import { deleteLink, hasLink } from "../sys/net/rtnetlink.ts"

/** The interface whose queue holds back what a container sends. */
export function queueName(hostInterface: string): string {
  return `i${hostInterface.slice(1)}`
}

/** Safe to repeat. */
export function removeQueue(route: NetlinkSocket, hostInterface: string): void {
  const queue = queueName(hostInterface)
  if (hasLink(route, queue)) deleteLink(route, queue)
}
