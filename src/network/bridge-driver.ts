/** The driver of bridge networks: one veth pair, one address and the published ports of each container. */
import { closeSync, existsSync } from "node:fs"
import type { Database } from "../base/database.ts"
import { FailedPrecondition, hasErrno, InvalidArgument, Unavailable } from "../base/errors.ts"
import { randomHex } from "../base/random-hex.ts"
import { forgetUdpCallers } from "../sys/net/conntrack.ts"
import { openNetns, isSameNetns, type Sysctls } from "../sys/net/netns.ts"
import { changeElements, hasElement } from "../sys/net/nfnetlink.ts"
import { applyRuleset } from "../sys/net/nft.ts"
import type { NetlinkSocket } from "../sys/net/netlink.ts"
import {
  addAddress,
  addDefaultRoute,
  createVeth,
  getLink,
  ipv4Bytes,
  hasLink,
  linkUp,
  type Link,
} from "../sys/net/rtnetlink.ts"
import { findBridge, makeBridge } from "./bridge.ts"
import { claimPorts, type HostPort } from "./claim-ports.ts"
import { listNetworks } from "./default-network.ts"
import type { HostSide, HostSockets } from "./host-side.ts"
import { formatIpv4, formatMac, macOfAddress, parseIpv4, parseIpv4Range, parseMac } from "./ipv4.ts"
import type { KernelNames } from "./names.ts"
import type { Endpoint, EndpointStatus, Network, NetworkDriver } from "./network.ts"
import { NETWORKS, networkKey, portChanges, tableText, type PortElement, type PublishedPort } from "./nftables.ts"
import { EndpointRecords, isHeld, type EndpointRow } from "./records.ts"
import { EGRESS_INTERFACE } from "./rootless-addresses.ts"
import { ROOTLESS_SYSCTLS, type RootlessUplink } from "./rootless-uplink.ts"

const DEFAULT_INTERFACE = "eth0"

/** The network has no IPv6, so neither has the container, but for its loopback (CVE-2024-32473). */
const CONTAINER_SYSCTLS: Sysctls = [["net/ipv6/conf/default/disable_ipv6", "1"]]

/** What the bridge driver is handed. */
export interface BridgeDriverDeps {
  db: Database
  names: KernelNames
  host: HostSide
  /** Undefined as real root, where the host's side is the host. */
  rootless: RootlessUplink | undefined
}

/** Networks as Linux bridges: a veth pair per container, masquerade, published ports by nftables maps. */
export class BridgeDriver implements NetworkDriver {
  readonly #db: Database
  /** nftables table of this store. */
  readonly #table: string
  readonly #alias: string
  readonly #host: HostSide
  readonly #rootless: RootlessUplink | undefined
  readonly #records: EndpointRecords

  constructor({ db, names, host, rootless }: BridgeDriverDeps) {
    this.#db = db
    this.#table = names.table
    this.#alias = names.alias
    this.#host = host
    this.#rootless = rootless
    this.#records = new EndpointRecords(db)
  }

  validate(network: Network): void {
    const range = parseIpv4Range(network.subnet)
    if (range.prefixLength > 29)
      throw new InvalidArgument(`subnet ${network.subnet} of network "${network.name}" is too small`, {
        hint: "the bridge and its containers need a /29 or larger",
      })
    if (!/^[A-Za-z0-9_.-]{1,15}$/.test(network.bridge))
      throw new InvalidArgument(`invalid bridge name "${network.bridge}"`, {
        hint: "an interface name has at most 15 characters",
      })
  }

  async setup(network: Network, endpoint: Endpoint): Promise<EndpointStatus> {
    this.validate(network)
    const mac = endpoint.macAddress === undefined ? undefined : parseMac(endpoint.macAddress)
    const netns = openContainerNetns(endpoint)
    try {
      const { host, container } = await this.#host.withContainer(netns, CONTAINER_SYSCTLS)
      using _ = container
      const bridge = await this.#bridge(host.route, network)
      this.#rootless?.open()
      const claimed = this.#claim(host, network, endpoint)
      try {
        const macAddress = mac ?? macOfAddress(claimed.row.address)
        const peer = { name: endpoint.interface ?? DEFAULT_INTERFACE, macAddress, netns }
        createVeth(host.route, { name: claimed.row.hostInterface, bridge: bridge.index, mtu: bridge.mtu, peer })
        configureInside(container, network, endpoint, claimed.row.address)
        forgetStaleCallers(host, claimed.ports)
        this.#rootless?.publish(host.route, network, endpoint.containerId, claimed.ports)
        return statusOf(network, endpoint, claimed.row, macAddress, claimed.ports)
      } catch (error) {
        this.#release(host, endpoint.containerId, network.id)
        throw error
      }
    } finally {
      closeSync(netns)
    }
  }

  async teardown(network: Network, containerId: string, _status: EndpointStatus | undefined): Promise<void> {
    const isStray = !this.#records.has(containerId) && (this.#rootless?.isPublished(containerId) ?? false)
    if (isStray || this.#records.has(containerId, network.id))
      this.#release(await this.#host.sockets(), containerId, network.id)
  }

  /**
   * Takes back what dead containers hold, and restores for the living what somebody took from them: the bridge, the table
   * (`nft flush ruleset`), the ways of rootless ports.
   */
  async sweep(alive: ReadonlySet<string>): Promise<void> {
    const endpoints = this.#records.list()
    const strayed = this.#rootless?.published().filter((id) => !this.#records.has(id)) ?? []
    if (endpoints.length === 0 && strayed.length === 0) return
    const host = await this.#host.sockets()
    // a container that is being started now is in nobody's list yet: its process tells
    const dead = endpoints.filter((endpoint) => !alive.has(endpoint.containerId) && !isHeldOn(host, endpoint))
    for (const { containerId, networkId } of dead) this.#release(host, containerId, networkId)
    for (const id of strayed) this.#rootless?.unpublish(host.route, id, [])
    const living = endpoints.filter((endpoint) => !dead.includes(endpoint))
    for (const network of listNetworks(this.#db))
      await this.#restore(
        host,
        network,
        living.filter(({ networkId }) => networkId === network.id),
        alive,
      )
  }

  async #restore(
    host: HostSockets,
    network: Network,
    living: readonly EndpointRow[],
    alive: ReadonlySet<string>,
  ): Promise<void> {
    if (living.length === 0) return
    await this.#bridge(host.route, network)
    this.#db.transaction(() => this.#ensureTable(host.netfilter, network))
    this.#rootless?.open()
    for (const { containerId } of living)
      if (alive.has(containerId) && this.#rootless?.isPublished(containerId) === false)
        this.#rootless.publish(host.route, network, containerId, this.#records.ports(containerId))
  }

  async #bridge(route: NetlinkSocket, network: Network): Promise<Link> {
    const found = findBridge(route, network)
    if (found !== undefined) return found
    return await makeBridge(route, network, {
      alias: this.#alias,
      writeSysctls: (sysctls) =>
        this.#host.writeSysctls(this.#rootless === undefined ? sysctls : [...sysctls, ...ROOTLESS_SYSCTLS]),
      hostInterfaces: this.#records.list().map((row) => row.hostInterface),
      loopback: this.#rootless !== undefined,
    })
  }

  /**
   * Address, ports and map elements in one transaction: they are all there or none is. Whoever rebuilds the table from the
   * records holds the same lock, so no element is lost between.
   */
  #claim(host: HostSockets, network: Network, endpoint: Endpoint): { row: EndpointRow; ports: PublishedPort[] } {
    return this.#db.transaction(() => {
      this.#forget(host, endpoint.containerId, network.id)
      if (endpoint.address !== undefined) this.#takeBackAddress(host, network, endpoint.address)
      const { containerId, holder, address: wanted } = endpoint
      const row = this.#records.add(network, { containerId, holder, hostInterface: newInterfaceName(), wanted })
      const ports = claimPorts(endpoint.ports, row, {
        holder: (port) => this.#livePortHolder(host, port),
        innerPort: (port) => this.#innerPort(port),
        add: (port) => this.#records.addPort(row, port),
      })
      // the table may have to be made from the records, then the new ports are in it
      if (!this.#ensureTable(host.netfilter, network)) this.#addElements(host.netfilter, this.#elements(ports))
      return { row, ports }
    })
  }

  #takeBackAddress(host: HostSockets, network: Network, address: string): void {
    const holder = this.#records.addressHolder(network, parseIpv4(address, "--ip"))
    if (holder !== undefined && !isHeldOn(host, holder)) this.#forget(host, holder.containerId, holder.networkId)
  }

  /** Who has the port; a dead one loses it here. */
  #livePortHolder(host: HostSockets, port: HostPort): EndpointRow | undefined {
    for (;;) {
      const holder = this.#records.portHolder(port.protocol, port.hostAddress, port.hostPort)
      if (holder === undefined || isHeldOn(host, holder)) return holder
      this.#forget(host, holder.containerId, holder.networkId)
    }
  }

  #addElements(netfilter: NetlinkSocket, ports: readonly PortElement[]): void {
    if (ports.length === 0) return
    try {
      changeElements(netfilter, portChanges("add", this.#table, ports))
    } catch (error) {
      if (!hasErrno(error, "EEXIST", "EBUSY")) throw error
      // the records say that the ports are ours: the elements are what a crash left
      for (const port of ports) this.#deleteElements(netfilter, [port])
      changeElements(netfilter, portChanges("add", this.#table, ports))
    }
  }

  #deleteElements(netfilter: NetlinkSocket, ports: readonly PortElement[]): void {
    if (ports.length === 0) return
    try {
      changeElements(netfilter, portChanges("delete", this.#table, ports))
    } catch (error) {
      if (!hasErrno(error, "ENOENT")) throw error
      // one that is missing spoils the whole batch
      if (ports.length > 1) for (const port of ports) this.#deleteElements(netfilter, [port])
    }
  }

  /** Writes the table if it is not there; true when it was written. Runs inside a transaction. */
  #ensureTable(netfilter: NetlinkSocket, network: Network): boolean {
    if (hasElement(netfilter, this.#table, NETWORKS, networkKey(network))) return false
    applyRuleset(
      tableText(
        this.#table,
        listNetworks(this.#db),
        this.#elements(this.#records.ports()),
        this.#rootless && EGRESS_INTERFACE,
      ),
      this.#host.netns,
    )
    return true
  }

  #release(host: HostSockets, containerId: string, networkId: string): void {
    this.#db.transaction(() => this.#forget(host, containerId, networkId))
  }

  #forget(host: HostSockets, containerId: string, networkId: string): void {
    const { address, ports } = this.#records.remove(containerId, networkId)
    this.#deleteElements(host.netfilter, this.#elements(ports))
    if (ports.length > 0 || !this.#records.has(containerId))
      this.#rootless?.unpublish(host.route, containerId, address === undefined ? [] : [address])
  }

  /** Rootless the host's address was checked by pasta, and all that arrives is for the tap's. */
  #elements(ports: readonly PublishedPort[]): PortElement[] {
    return this.#rootless === undefined ? [...ports] : ports.map((port) => Object.assign({}, port, { hostAddress: "" }))
  }

  /** Rootless two containers may publish one port on two addresses of the host, which the taps cannot tell apart. */
  #innerPort({ protocol, hostPort }: HostPort): number {
    if (this.#rootless === undefined) return hostPort
    for (let step = 0; step < 0xffff; step++) {
      const port = ((hostPort - 1 + step) % 0xffff) + 1
      if (!this.#records.hasInnerPort(protocol, port)) return port
    }
    throw new Unavailable(`no ${protocol} port is left in the rootless network`, {
      hint: "stop containers that publish ports",
    })
  }
}

function isHeldOn({ route }: HostSockets, endpoint: EndpointRow): boolean {
  return isHeld(endpoint, (name) => hasLink(route, name))
}

/** Opens the namespace, which must not be ours: the process whose it was may have ended, and its pid be used again. */
function openContainerNetns({ containerId, netns: given }: Endpoint): number {
  const path = typeof given === "string" ? given : `/proc/self/fd/${given}`
  const gone = (): FailedPrecondition =>
    new FailedPrecondition("the container ended before it got its network", {
      hint: "its log may say why",
      data: { containerId },
    })
  if (!existsSync(path)) throw gone()
  const netns = openNetns(path)
  if (!isSameNetns(netns, "/proc/self/ns/net")) return netns
  closeSync(netns)
  throw gone()
}

function configureInside(
  container: NetlinkSocket,
  network: Network,
  { interface: name = DEFAULT_INTERFACE, defaultRoute = true }: Endpoint,
  address: number,
): void {
  const { index } = getLink(container, name)
  const { prefixLength } = parseIpv4Range(network.subnet)
  container.request([
    linkUp(getLink(container, "lo").index, "lo"),
    addAddress(index, name, address, prefixLength),
    linkUp(index, name),
    ...(defaultRoute ? [addDefaultRoute(index, name, { gateway: parseIpv4(network.gateway) })] : []),
  ])
}

/** Who called one of these UDP ports while another container, or nobody, had it. */
function forgetStaleCallers({ netfilter }: HostSockets, ports: readonly PublishedPort[]): void {
  const udp = ports.filter(({ protocol }) => protocol === "udp")
  const [first] = udp
  if (first === undefined) return
  forgetUdpCallers(netfilter, new Set(udp.map(({ innerPort }) => innerPort)), ipv4Bytes(first.address))
}

/** Never one that was there before: the old pair of a restarted container may still be on its way out. */
function newInterfaceName(): string {
  return `veth${randomHex(6).slice(0, 11)}`
}

function statusOf(
  network: Network,
  { interface: name = DEFAULT_INTERFACE }: Endpoint,
  row: EndpointRow,
  mac: Uint8Array,
  ports: readonly PublishedPort[],
): EndpointStatus {
  return {
    network: network.name,
    interface: name,
    address: formatIpv4(row.address),
    prefixLength: parseIpv4Range(network.subnet).prefixLength,
    gateway: network.gateway,
    macAddress: formatMac(mac),
    ports: ports.map(({ protocol, containerPort, hostPort, hostAddress }) => ({
      protocol,
      containerPort,
      hostPort,
      ...(hostAddress === "" ? {} : { hostAddress }),
    })),
  }
}
