/**
 * The host's side of the networks, as sockets into the kernel. As root that is the host's network namespace, where we are;
 * rootless it is the pause process's, which we can reach but never leave again (sys/netns.ts).
 */
import { closeSync } from "node:fs"
import { rootlessUid } from "../sys/fs/paths.ts"
import { NetlinkSocket } from "../sys/net/netlink.ts"
import { openNetns, visitNetns, type NetnsSockets, type NetnsVisit, type Sysctls } from "../sys/net/netns.ts"

/** Netlink sockets of the namespace that holds the bridges. */
export interface HostSockets {
  route: NetlinkSocket
  netfilter: NetlinkSocket
}

/** The namespace that holds the bridges and the rules: the host's own, or the rootless namespaces'. */
export class HostSide {
  /** Path of the pause process's namespace; undefined as real root. */
  readonly netns: string | undefined
  #sockets: Promise<HostSockets> | undefined

  constructor(netns: string | undefined) {
    this.netns = netns
  }

  /** Opened once for the process: they are not closed, since closing after a deletion waits for the kernel (16 ms). */
  async sockets(): Promise<HostSockets> {
    this.#sockets ??= this.#open()
    try {
      return await this.#sockets
    } catch (error) {
      this.#sockets = undefined
      throw error
    }
  }

  /** The same, and a socket inside the container's namespace after its settings were written. The caller closes that. */
  async withContainer(netns: number, sysctls: Sysctls): Promise<{ host: HostSockets; container: NetlinkSocket }> {
    const host = await this.sockets()
    const [fds] = await visitNetns([{ netns, route: true, sysctls }], this.#isOneWay)
    if (fds === undefined) throw new Error("the visit of the container's namespace gave no socket")
    return { host, container: new NetlinkSocket(fds.route) }
  }

  /** Writes settings of the host's side. */
  async writeSysctls(sysctls: Sysctls): Promise<void> {
    await this.#visit({ sysctls })
  }

  /** Rootless, this thread could not come back from a visit. */
  get #isOneWay(): boolean {
    return this.netns !== undefined && rootlessUid() !== undefined
  }

  async #open(): Promise<HostSockets> {
    const { route, netfilter } = await this.#visit({ route: true, netfilter: true })
    return { route: new NetlinkSocket(route), netfilter: new NetlinkSocket(netfilter) }
  }

  async #visit(visit: Omit<NetnsVisit, "netns">): Promise<NetnsSockets> {
    const netns = openNetns(this.netns ?? "/proc/self/ns/net")
    try {
      const [sockets] = await visitNetns([{ netns, ...visit }], this.#isOneWay)
      if (sockets === undefined) throw new Error("the visit of the host's side gave no sockets")
      return sockets
    } finally {
      closeSync(netns)
    }
  }
}
