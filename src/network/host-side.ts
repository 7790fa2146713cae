/**
 * The host's side of the networks, as sockets into the kernel. As root that is the host's network namespace, where we are;
 * rootless it is the pause process's, which we can reach but never leave again (sys/netns.ts).
 */
import { closeSync } from "node:fs"
import { NetlinkSocket } from "../sys/net/netlink.ts"
import { openNetns, visitNetns, type NetnsVisit, type Sysctls } from "../sys/net/netns.ts"

/** Netlink sockets of the namespace that holds the bridges. */
export interface HostSockets {
  route: NetlinkSocket
  netfilter: NetlinkSocket
}

/** The namespace that holds the bridges and the rules: the host's own, or the rootless namespaces'. */
export class HostSide {
  /** Path of the pause process's namespace; undefined as real root. */
  readonly netns: string | undefined
  #sockets: HostSockets | undefined

  constructor(netns: string | undefined) {
    this.netns = netns
  }

  /** Opened once for the process: they are not closed, since closing after a deletion waits for the kernel (16 ms). */
  async sockets(): Promise<HostSockets> {
    return (await this.#visit([])).host
  }

  /** The same, and a socket inside the container's namespace after its settings were written. The caller closes that. */
  async withContainer(netns: number, sysctls: Sysctls): Promise<{ host: HostSockets; container: NetlinkSocket }> {
    const { host, others } = await this.#visit([{ netns, route: true, sysctls }])
    const [fds] = others
    if (fds === undefined) throw new Error("the visit of the container's namespace gave no socket")
    return { host, container: new NetlinkSocket(fds.route) }
  }

  /** Writes settings of the host's side. */
  async writeSysctls(sysctls: Sysctls): Promise<void> {
    const netns = openNetns(this.netns ?? "/proc/self/ns/net")
    try {
      await visitNetns([{ netns, sysctls }], this.netns !== undefined)
    } finally {
      closeSync(netns)
    }
  }

  async #visit(more: readonly NetnsVisit[]): Promise<{ host: HostSockets; others: { route: number }[] }> {
    const oneWay = this.netns !== undefined
    if (this.#sockets !== undefined)
      return { host: this.#sockets, others: more.length === 0 ? [] : await visitNetns(more, oneWay) }
    const netns = openNetns(this.netns ?? "/proc/self/ns/net")
    try {
      const [own, ...others] = await visitNetns([{ netns, route: true, netfilter: true }, ...more], oneWay)
      if (own === undefined) throw new Error("the visit of the host's side gave no sockets")
      this.#sockets ??= { route: new NetlinkSocket(own.route), netfilter: new NetlinkSocket(own.netfilter) }
      return { host: this.#sockets, others }
    } finally {
      closeSync(netns)
    }
  }
}
