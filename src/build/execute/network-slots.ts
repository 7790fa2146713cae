import { closeSync, readFileSync } from "node:fs"
import type { EndpointStatus } from "../../network/network.ts"
import type { EgressRule } from "../../spec/docker/egress-rule.ts"
import { createNetns, type Sysctls } from "../../sys/net/netns.ts"
import type { Pid } from "../../sys/process/process.ts"
import type { BuildDirectory } from "../build-directory.ts"
import type { ExecutorDeps } from "./deps.ts"

const MOST_GROUPS = 0x7fffffff

/** As docker's containers: ports below 1024 and ping need no capability in a network of one's own. */
function sysctls(): Sysctls {
  return [
    ["net/ipv4/ip_unprivileged_port_start", "0"],
    ["net/ipv4/ping_group_range", `0 ${Math.min(MOST_GROUPS, highestGroup())}`],
  ]
}

/** user_namespaces(7), gid_map: `first-inside first-outside count`. The kernel refuses a range with a group it does not map. */
function highestGroup(): number {
  const lines = readFileSync("/proc/self/gid_map", "latin1").trim().split("\n")
  return Math.max(
    ...lines.map((line) => {
      const [inside = 0, , count = 0] = line.trim().split(/\s+/).map(Number)
      return inside + count - 1
    }),
  )
}

/** A network namespace with an address, free for one RUN at a time. */
export interface NetworkSlot {
  /** For the runtime to join. */
  path: string
  status: EndpointStatus
  allow: readonly EgressRule[] | undefined
}

/** Every RUN of a build has this name. */
export const BUILD_HOSTNAME = "buildkitsandbox"

/**
 * Network namespaces on the default bridge, one for each RUN that runs at once, used again by the next. They are held by
 * descriptors alone: when this process dies, they go with it.
 */
export class NetworkSlots implements AsyncDisposable {
  readonly #deps: ExecutorDeps
  readonly #directory: BuildDirectory
  readonly #free: NetworkSlot[] = []
  readonly #made: { endpoint: string; netns: number }[] = []

  constructor(deps: ExecutorDeps, directory: BuildDirectory) {
    this.#deps = deps
    this.#directory = directory
  }

  /** `allow`: where alone it may send. */
  async take(allow?: readonly EgressRule[]): Promise<NetworkSlot> {
    const index = this.#free.findLastIndex((slot) => slot.allow === allow)
    const [free] = index < 0 ? [] : this.#free.splice(index, 1)
    return free ?? (await this.#make(allow))
  }

  /** Not to be called where the RUN could have changed the namespace. */
  giveBack(slot: NetworkSlot): void {
    this.#free.push(slot)
  }

  async #make(allow: readonly EgressRule[] | undefined): Promise<NetworkSlot> {
    const endpoint = this.#directory.markNetwork()
    const netns = await createNetns(sysctls(), this.#deps.rootless)
    this.#made.push({ endpoint, netns })
    const networks = await this.#deps.networks()
    const status = await networks.setup(networks.get("bridge"), {
      containerId: endpoint,
      netns,
      holder: process.pid as Pid,
      hostname: BUILD_HOSTNAME,
      ports: [],
      allow,
    })
    return { path: `/proc/${process.pid}/fd/${netns}`, status, allow }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#made.length === 0) return
    const networks = await this.#deps.networks()
    for (const { endpoint, netns } of this.#made.splice(0)) {
      closeSync(netns)
      await networks.teardown(networks.get("bridge"), endpoint, undefined)
    }
  }
}
