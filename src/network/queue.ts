import type { NetlinkSocket } from "../sys/net/netlink.ts"
import { deleteLink, hasLink } from "../sys/net/rtnetlink.ts"

/** The interface whose queue holds back what a container sends. */
export function queueName(hostInterface: string): string {
  return `i${hostInterface.slice(1)}`
}

const LONGEST_NAME = 15

/** The same for all that a network sends out. */
export function bridgeQueueName(bridge: string): string {
  return `q${bridge.slice(bridge.length === LONGEST_NAME ? 1 : 0)}`
}

/** Safe to repeat. */
export function removeQueue(route: NetlinkSocket, queue: string): void {
  if (hasLink(route, queue)) deleteLink(route, queue)
}
