/**
 * How fast a container receives and sends: at the host's end of its interface, where no right of the container's reaches. What the
 * host's end sends is what the container receives. What the container sends arrives there, and the kernel queues only what is sent: so
 * it goes through the queue of an interface of its own (ifb), which is found by the other's name and goes with the endpoint. A network's
 * bridge is the same for all that is routed to and from its containers together.
 */
import { FailedPrecondition, hasErrno } from "../base/errors.ts"
import type { NetlinkSocket } from "../sys/net/netlink.ts"
import { createIfb, getLink } from "../sys/net/rtnetlink.ts"
import { limitEgress, redirectIngress, unlimit } from "../sys/net/traffic-control.ts"
import type { TrafficRate } from "./network.ts"
import { removeQueue } from "./queue.ts"

/** Sets both directions, in place of what was set. Safe to repeat. Throws FailedPrecondition where the kernel lacks it. */
export function setRate(
  route: NetlinkSocket,
  { link, queue, rate }: { link: string; queue: string; rate: TrafficRate },
): void {
  const { index, mtu } = getLink(route, link)
  unlimit(route, index)
  removeQueue(route, queue)
  try {
    if (rate.receiveBitsPerSecond !== undefined)
      route.request([limitEgress(index, { bitsPerSecond: rate.receiveBitsPerSecond, mtu })])
    if (rate.sendBitsPerSecond === undefined) return
    createIfb(route, queue)
    const { index: queueIndex } = getLink(route, queue)
    route.request([
      limitEgress(queueIndex, { bitsPerSecond: rate.sendBitsPerSecond, mtu }),
      ...redirectIngress(index, queueIndex),
    ])
  } catch (cause) {
    if (!hasErrno(cause, "EOPNOTSUPP", "ENOTSUP", "ENOENT", "EINVAL")) throw cause
    throw new FailedPrecondition("the rate of the network cannot be limited: this kernel lacks what does it", {
      field: "networkLimits.rate",
      hint: "modprobe -a sch_tbf sch_ingress cls_u32 act_mirred ifb",
      cause,
    })
  }
}
