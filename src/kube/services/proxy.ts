/** Has the kernel lead Services to their endpoints, as fast as these come and go. */
import type { Pod, Service } from "kubernetes-types/core/v1"
import type { EndpointSlice } from "kubernetes-types/discovery/v1"
import { setTimeout as sleep } from "node:timers/promises"
import { log } from "../../base/log.ts"
import type { HostWay, VirtualPort, VirtualPorts } from "../../network/network.ts"
import { keyOf, type Cluster } from "../controllers/cluster.ts"
import type { Controller } from "../controllers/controller.ts"
import { AddressRange } from "./address-range.ts"
import type { ClusterNetwork } from "./cluster-network.ts"
import { isExternalAddress, SERVICE_SETTINGS } from "./external-addresses.ts"
import { withExternal } from "./service-controller.ts"
import { SERVICE_NAME, SLICES } from "./slices.ts"
import { virtualPortsOf } from "./virtual-ports.ts"

/** An administrator's `nft flush ruleset`, or another's bridge in the place of ours, is seen so soon. */
const LOOK_MS = 2_000
const RETRY_MS = 500
/** Below it an ordinary user may listen nowhere. */
const FIRST_FREE_PORT = 1024
const WITHDRAWAL_MS = 2_000
const WITHDRAWAL_POLL_MS = 2

/** Where Services are led to. */
export class ServiceProxy implements Controller {
  readonly name = "service-proxy"
  readonly #cluster: Cluster
  readonly #applied = new Map<string, readonly VirtualPort[]>()
  readonly #waiting = new Set<string>()
  #ports: VirtualPorts | undefined
  #network: ClusterNetwork | undefined
  #balanced: AddressRange | undefined
  /** Of Services, of both families. */
  #given: readonly AddressRange[] = []
  #ways = ""
  #ingressPorts: readonly number[] = []
  #isWhole = false
  #applying: Promise<void> | undefined

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  keysOf({ resource, object: { metadata } }: Parameters<Controller["keysOf"]>[0]): string[] {
    if (resource === "services") return [keyOf(metadata.namespace, metadata.name)]
    if (resource === "configmaps" && metadata.name === SERVICE_SETTINGS.name) return withExternal(this.#cluster)
    const service = resource === SLICES ? metadata.labels?.[SERVICE_NAME] : undefined
    return service === undefined ? [] : [keyOf(metadata.namespace, service)]
  }

  reconcile(key: string): void {
    this.#waiting.add(key)
    this.#apply()
  }

  /** On which ports of this host Ingresses are answered. */
  setIngressPorts(ports: readonly number[]): void {
    if (`${ports}` === `${this.#ingressPorts}`) return
    this.#ingressPorts = ports
    this.#ways = ""
    this.#apply()
  }

  /** Leads, once the cluster's network is there, and looks now and then whether all is there still. Until `signal`. */
  async run(network: ClusterNetwork, ports: VirtualPorts, signal: AbortSignal): Promise<void> {
    this.#ports = ports
    this.#network = network
    this.#isWhole = false
    const { balanced, services, services6 = "" } = network.options.virtual
    this.#balanced = new AddressRange(balanced)
    this.#given = [new AddressRange(services), new AddressRange(services6)]
    while (!signal.aborted) {
      this.#apply()
      await this.#applying
      await sleep(this.#isWhole ? LOOK_MS : RETRY_MS, undefined, { signal }).catch(() => {})
      if (!signal.aborted && this.#isWhole) this.#isWhole = await ports.isThere().catch(() => false)
    }
  }

  /**
   * Resolves when no Service leads to a pod that is about to end: who is told to end before would refuse callers who were led to it. Two
   * seconds at most.
   */
  async withdrawn({ status }: Pick<Pod, "status">): Promise<void> {
    const own = new Set([status?.podIP, ...(status?.podIPs ?? []).map(({ ip }) => ip)])
    const isLed = (): boolean =>
      [...this.#applied.values()].some((ports) =>
        ports.some(({ endpoints }) => endpoints.length > 1 && endpoints.some(({ address }) => own.has(address))),
      )
    for (const until = Date.now() + WITHDRAWAL_MS; isLed() && Date.now() < until;) await sleep(WITHDRAWAL_POLL_MS)
  }

  #apply(): void {
    if (this.#ports === undefined || this.#applying !== undefined) return
    if (this.#isWhole && this.#waiting.size === 0 && this.#ways !== "") return
    this.#applying = this.#work(this.#ports).finally(() => {
      this.#applying = undefined
      // what came meanwhile; what failed waits for the next look
      if (this.#isWhole) this.#apply()
    })
  }

  async #work(ports: VirtualPorts): Promise<void> {
    // those of one moment together
    await Promise.resolve()
    const keys = [...this.#waiting]
    this.#waiting.clear()
    try {
      if (this.#isWhole) await this.#change(ports, keys)
      else await this.#replace(ports)
      await this.#lead(ports)
    } catch (error) {
      if (this.#isWhole) log.debug("the table of Services is written anew", { reason: String(error) })
      else log.warn("Services cannot be led to their endpoints", { reason: String(error) })
      this.#isWhole = false
    }
  }

  async #lead(ports: VirtualPorts): Promise<void> {
    const ways = [...this.#applied].flatMap(([key, list]): HostWay[] => {
      const own = list.flatMap(({ protocol, port, nodePort, balanced, sources }) =>
        nodePort === undefined
          ? []
          : // who is carried by the ordinary user's host comes to the port of the node, past the bounds of the address
            [nodePort, ...(balanced.length > 0 && sources === undefined && port >= FIRST_FREE_PORT ? [port] : [])].map(
              (hostPort) => Object.assign({ protocol, hostPort, innerPort: nodePort }),
            ),
      )
      return own.length === 0 ? [] : [{ key, ports: own }]
    })
    const ingress = this.#ingressPorts.map((port) => ({ protocol: "tcp" as const, hostPort: port, innerPort: port }))
    if (ingress.length > 0) ways.push({ key: "ingress", ports: ingress })
    const text = JSON.stringify(ways)
    if (text === this.#ways) return
    await ports.lead(ways)
    this.#ways = text
  }

  async #replace(ports: VirtualPorts): Promise<void> {
    this.#ways = ""
    const all = this.#cluster.list<Service>("services").map(({ metadata }) => keyOf(metadata.namespace, metadata.name))
    const wanted = new Map(all.map((key) => [key, this.#portsOf(key)]))
    await ports.replace([...wanted.values()].flat())
    this.#applied.clear()
    for (const [key, list] of wanted) this.#applied.set(key, list)
    this.#isWhole = true
  }

  async #change(ports: VirtualPorts, keys: readonly string[]): Promise<void> {
    const wanted = new Map(keys.map((key) => [key, this.#portsOf(key)]))
    const set = [...wanted.values()].flat()
    const there = new Set(set.map(({ key }) => key))
    const before = keys.flatMap((key) => this.#applied.get(key) ?? [])
    const known = new Map(before.map((port) => [port.key, JSON.stringify(port)]))
    const changed = set.filter((port) => known.get(port.key) !== JSON.stringify(port))
    const removed = before.flatMap(({ key }) => (there.has(key) ? [] : [key]))
    if (changed.length > 0 || removed.length > 0) await ports.change(changed, removed)
    for (const [key, list] of wanted)
      if (list.length > 0) this.#applied.set(key, list)
      else this.#applied.delete(key)
  }

  #portsOf(key: string): VirtualPort[] {
    const service = this.#cluster.byKey<Service>("services", key)
    if (service === undefined) return []
    const slices = this.#cluster
      .list<EndpointSlice>(SLICES, service.metadata.namespace)
      .filter(({ metadata }) => metadata.labels?.[SERVICE_NAME] === service.metadata.name)
    try {
      return virtualPortsOf(service, slices, {
        isService: (address) => this.#given.some((range) => range.contains(address)),
        isBalanced: (address) => this.#balanced?.contains(address) === true,
        isExternal: (address) =>
          this.#network !== undefined && isExternalAddress(this.#cluster, this.#network, address),
      })
    } catch (error) {
      // whose it is has no address; all others have
      log.warn(`Service "${key}" cannot be read`, { reason: String(error) })
      return []
    }
  }
}
