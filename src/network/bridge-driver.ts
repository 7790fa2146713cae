/** The driver of bridge networks: one veth pair, one address and the published ports of each container. */
import { closeSync } from "node:fs"
import { crashPoint } from "../base/crash-point.ts"
import { heeding, throwIfAborted, type Cancellable } from "../base/cancel.ts"
import type { Database } from "../base/database.ts"
import { FailedPrecondition, hasErrno, InvalidArgument } from "../base/errors.ts"
import type { PortMapping } from "../spec/docker/port-mapping.ts"
import { holdPort } from "../sys/net/host-port.ts"
import type { NetlinkSocket } from "../sys/net/netlink.ts"
import { createVeth, deleteLink, getLink, hasLink, linkTraffic } from "../sys/net/rtnetlink.ts"
import type { Pid } from "../sys/process/process.ts"
import { withoutIpv6 } from "./choose-ipv6.ts"
import { EndpointBounds, notThere } from "./endpoint-bounds.ts"
import { endpointStatus, portMappings } from "./endpoint-status.ts"
import { letGo, takenByProgram, type ClaimedPort } from "./claim-ports.ts"
import {
  configureInside,
  containerSysctls,
  DEFAULT_INTERFACE,
  forgetStaleCallers,
  openContainerNetns,
} from "./container-side.ts"
import { ETHERNET_MTU, NetworkBridges } from "./network-bridges.ts"
import { listBridges, networksBeside } from "./network-records.ts"
import { EndpointClaims, isHeldOn } from "./endpoint-claims.ts"
import type { HostSide, HostSockets } from "./host-side.ts"
import { parseIpv4Range, parseMac } from "./ipv4.ts"
import { Firewall } from "./firewall.ts"
import { portAlias, type KernelNames } from "./names.ts"
import type {
  Endpoint,
  EndpointStatus,
  EndpointTraffic,
  LiveEndpoint,
  Network,
  NetworkChanges,
  NetworkDriver,
  PortChanges,
  PortReservation,
  ReservedEndpoint,
  TrafficRate,
} from "./network.ts"
import { networkPolicy } from "./network-policy.ts"
import { bridgeQueueName, queueName, removeQueue } from "./queue.ts"
import type { EgressRule } from "../spec/docker/egress-rule.ts"
import type { PublishedPort } from "./nftables.ts"
import { PortHolders } from "./port-holders.ts"
import { EndpointRecords, type EndpointRow } from "./records.ts"
import type { NumberedNetwork, RootlessUplink } from "./rootless-uplink.ts"

/** What the bridge driver is handed. */
export interface BridgeDriverDeps {
  db: Database
  runRoot: string
  names: KernelNames
  host: HostSide
  /** Undefined as real root, where the host's side is the host. */
  rootless: RootlessUplink | undefined
}

/** Networks as Linux bridges: a veth pair per container, masquerade, published ports by nftables maps. */
export class BridgeDriver implements NetworkDriver {
  readonly #db: Database
  readonly #runRoot: string
  readonly #host: HostSide
  readonly #rootless: RootlessUplink | undefined
  readonly #records: EndpointRecords
  readonly #firewall: Firewall
  readonly #bridges: NetworkBridges
  readonly #bounds: EndpointBounds
  readonly #claims: EndpointClaims
  readonly #holders: PortHolders
  readonly #reserved = new WeakMap<PortReservation, readonly ClaimedPort[]>()

  constructor({ db, runRoot, names, host, rootless }: BridgeDriverDeps) {
    this.#db = db
    this.#runRoot = runRoot
    this.#host = host
    this.#rootless = rootless
    this.#records = new EndpointRecords(db)
    this.#holders = new PortHolders(runRoot)
    this.#firewall = new Firewall({ db, names, records: this.#records, runRoot, netns: host.netns })
    const byPasta = rootless !== undefined
    this.#bridges = new NetworkBridges({ names, host, records: this.#records, byPasta })
    this.#bounds = new EndpointBounds({ db, records: this.#records, firewall: this.#firewall, byPasta })
    this.#claims = new EndpointClaims({
      db,
      records: this.#records,
      runRoot,
      names,
      isRootless: byPasta,
      isLeaving: () => rootless?.isLeaving() ?? false,
      forget: (sockets, containerId, networkId) => this.#forget(sockets, containerId, networkId),
    })
  }

  validate(network: Network): void {
    const range = parseIpv4Range(network.subnet)
    if (range.prefixLength > 30)
      throw new InvalidArgument(`subnet ${network.subnet} of network "${network.name}" is too small`, {
        hint: "the bridge and its containers need a /30 or larger",
      })
    networkPolicy(network)
    if (!/^[A-Za-z0-9_.-]{1,15}$/.test(network.bridge))
      throw new InvalidArgument(`invalid bridge name "${network.bridge}"`, {
        hint: "an interface name has at most 15 characters",
      })
  }

  async reserve(given: Network, endpoint: ReservedEndpoint, { signal }: Cancellable = {}): Promise<PortReservation> {
    this.validate(given)
    const network = this.#bridges.possible(given)
    refusePorts(network, endpoint)
    const host = await this.#host.sockets()
    const { claimed } = await this.#claims.claim(host, network, { ...endpoint, holder: process.pid as Pid }, signal)
    // pasta binds what an ordinary user publishes, and would find its ports taken by us
    if (this.#rootless !== undefined) letGo(claimed)
    const kept = this.#rootless === undefined ? claimed : []
    const reservation: PortReservation = {
      containerId: endpoint.containerId,
      ports: portMappings(claimed.map(({ port }) => port)),
      sockets: kept.flatMap(({ bound }) => bound.map(({ socket }) => socket)),
      [Symbol.dispose]: () => letGo(kept.splice(0)),
    }
    this.#reserved.set(reservation, kept)
    return reservation
  }

  async setup(network: Network, endpoint: Endpoint, { signal }: Cancellable = {}): Promise<EndpointStatus> {
    return heeding(signal, `joining network "${network.name}"`, () => this.#setup(network, endpoint, signal))
  }

  async #setup(given: Network, endpoint: Endpoint, signal: AbortSignal | undefined): Promise<EndpointStatus> {
    this.validate(given)
    const network = this.#bridges.possible(given)
    refusePorts(network, endpoint)
    const netns = openContainerNetns(endpoint)
    try {
      const { host, container } = await this.#host.withContainer(netns, [
        ...containerSysctls(network, networksBeside(this.#db, network, endpoint.containerId)),
        ...(this.#rootless?.containerSysctls(endpoint) ?? []),
      ])
      using _ = container
      const bridge = await this.#bridges.ensure(host.route, network)
      await this.#rootless?.open(signal)
      const { row: taken, claimed, isOurs } = await this.#take(host, network, endpoint, signal)
      let row = taken
      try {
        if (isOurs && this.#rootless !== undefined) letGo(claimed)
        row = this.#bounds.refuse(row, endpoint.refuse)
        this.#bounds.allow(network, row, { allow: endpoint.allow, isNew: true })
        const ports = this.#records.ports(endpoint.containerId).filter(({ networkId }) => networkId === network.id)
        await this.#firewall.open(host.netfilter, network, row, ports, signal)
        const { hostInterface, macAddress } = row
        const peer = { name: endpoint.interface ?? DEFAULT_INTERFACE, macAddress: parseMac(macAddress), netns }
        const alias = portAlias(endpoint.containerId, this.#runRoot)
        // a rate is for packets, and a slow one never has several as long as pasta's under way
        const mtu = endpoint.rate === undefined ? bridge.mtu : Math.min(bridge.mtu, ETHERNET_MTU)
        createVeth(host.route, { name: hostInterface, bridge: bridge.index, mtu, alias, peer })
        if (endpoint.rate !== undefined) await this.#limit(host, hostInterface, endpoint.rate)
        const inside = configureInside(container, network, endpoint, row)
        if (!inside.hasIpv6 && row.address6 !== "") row = this.#loseIpv6(host, row)
        if (this.#rootless === undefined) this.#show(host.route, hostInterface, claimed)
        forgetStaleCallers(host, ports)
        await this.#rootless?.publish(host.route, this.#numbered(network), endpoint.containerId, ports)
        // programs that were started end by themselves in some 30 ms: only then it is known what to take back
        throwIfAborted(signal, `joining network "${network.name}"`)
        return endpointStatus(inside.hasIpv6 ? network : withoutIpv6(network), endpoint, row, ports)
      } catch (error) {
        // the namespace may live on, and with it what we made in it
        if (hasLink(host.route, row.hostInterface)) deleteLink(host.route, row.hostInterface)
        this.#release(host, endpoint.containerId, network.id)
        throw error
      } finally {
        if (isOurs && this.#rootless === undefined) letGo(claimed)
      }
    } finally {
      closeSync(netns)
    }
  }

  /** What was reserved for the endpoint, or is now. */
  async #take(
    host: HostSockets,
    network: Network,
    endpoint: Endpoint,
    signal: AbortSignal | undefined,
  ): Promise<{ row: EndpointRow; claimed: readonly ClaimedPort[]; isOurs: boolean }> {
    const { reservation, containerId, holder } = endpoint
    if (reservation === undefined)
      return { ...(await this.#claims.claim(host, network, endpoint, signal)), isOurs: true }
    await this.#db.whenFree(signal)
    return this.#db.transaction(() => {
      const row = this.#records.get(containerId, network.id)
      if (row === undefined)
        throw new FailedPrecondition(`what was reserved in network "${network.name}" for ${containerId} is gone`)
      return {
        row: this.#records.hold(row, holder),
        claimed: this.#reserved.get(reservation) ?? [],
        isOurs: false,
      }
    })
  }

  /** From here on the host's tools see the ports as taken, by the container's own interface. */
  #show(route: NetlinkSocket, hostInterface: string, claimed: readonly ClaimedPort[]): void {
    if (claimed.length === 0) return
    const { index } = getLink(route, hostInterface)
    for (const { port, bound } of claimed)
      for (const one of bound)
        try {
          if (port.protocol !== "sctp") holdPort(one, port.protocol, index)
        } catch (error) {
          // between our binding and now somebody has begun to listen, as SO_REUSEADDR lets them
          throw hasErrno(error, "EADDRINUSE") ? takenByProgram(port) : error
        }
  }

  async traffic(network: Network, containerId: string): Promise<EndpointTraffic | undefined> {
    const row = this.#records.get(containerId, network.id)
    if (row === undefined) return undefined
    const { route } = await this.#host.sockets()
    try {
      // the other end: what it has received, the container has sent
      const { receivedBytes, sentBytes } = linkTraffic(route, row.hostInterface)
      return { receivedBytes: sentBytes, sentBytes: receivedBytes }
    } catch (error) {
      if (hasErrno(error, "ENODEV")) return undefined
      throw error
    }
  }

  async changePorts(
    network: Network,
    containerId: string,
    changes: PortChanges,
    options?: Cancellable,
  ): Promise<PortMapping[]> {
    const host = await this.#host.sockets()
    const rootless = this.#rootless
    const deps = {
      db: this.#db,
      records: this.#records,
      firewall: this.#firewall,
      holders: this.#holders,
      claim: (row: EndpointRow, ports: readonly PortMapping[]) => this.#claims.claimPorts(host, row, ports),
      show:
        rootless === undefined
          ? ({ hostInterface }: EndpointRow, claimed: readonly ClaimedPort[]) =>
              this.#show(host.route, hostInterface, claimed)
          : undefined,
      unbind: async () => rootless?.unbind(containerId),
      rebind: async ({ address, address6 }: EndpointRow, ports: readonly PublishedPort[]) =>
        rootless?.republish(host.route, this.#numbered(network), { containerId, address, address6, ports }),
    }
    const { changePorts } = await import("./change-ports.ts")
    return portMappings(await changePorts(deps, { host, network, containerId }, changes, options))
  }

  /** The container's own settings turned IPv6 off: nobody is told of an address, or led to it, that it has not. */
  #loseIpv6({ netfilter }: HostSockets, row: EndpointRow): EndpointRow {
    const { containerId, networkId } = row
    const ports = () => this.#records.ports(containerId).filter((port) => port.networkId === networkId)
    return this.#db.transaction(() => {
      const before = ports()
      const without = this.#records.loseIpv6(row)
      if (before.length > 0) this.#firewall.change(netfilter, { remove: before, add: ports() })
      return without
    })
  }

  async setEgress(network: Network, containerId: string, allow: readonly EgressRule[] | undefined): Promise<void> {
    const { netfilter } = await this.#host.sockets()
    await this.#bounds.change(netfilter, network, containerId, allow)
  }

  async setRate(network: Network, containerId: string, rate: TrafficRate): Promise<void> {
    const row = this.#records.get(containerId, network.id)
    if (row === undefined) throw notThere(network, containerId)
    await this.#limit(await this.#host.sockets(), row.hostInterface, rate)
  }

  async #limit(host: HostSockets, hostInterface: string, rate: TrafficRate): Promise<void> {
    const { setRate } = await import("./rate-limit.ts")
    setRate(host.route, { link: hostInterface, queue: queueName(hostInterface), rate })
  }

  async teardown(network: Network, containerId: string, _status: EndpointStatus | undefined): Promise<void> {
    const isStray = !this.#records.has(containerId) && (this.#rootless?.isPublished(containerId) ?? false)
    if (!isStray && !this.#records.has(containerId, network.id)) return
    const host = await this.#host.sockets()
    await this.#db.whenFree()
    this.#release(host, containerId, network.id)
  }

  /** Bounds who is on a network, and its bridge, as it says now. Safe to repeat. */
  async rebound(before: Network, network: Network, { allow, rate }: NetworkChanges): Promise<void> {
    if (allow === undefined && rate === undefined) return
    const { route, netfilter } = await this.#host.sockets()
    if (rate !== undefined && hasLink(route, network.bridge)) {
      const { setRate } = await import("./rate-limit.ts")
      setRate(route, { link: network.bridge, queue: bridgeQueueName(network.bridge), rate })
    }
    if (allow !== undefined) await this.#bounds.rebound(netfilter, before, network)
  }

  /** Makes bridge, rules and uplink without anybody on the network. Gives it as this host can have it. Safe to repeat. */
  async ready(given: Network): Promise<Network> {
    const network = this.#bridges.possible(given)
    const host = await this.#host.sockets()
    await this.#bridges.ensure(host.route, network)
    await this.#firewall.ensure(host.netfilter, network)
    await this.#rootless?.open()
    return network
  }

  /** Takes a network that is removed from the firewall. Safe to repeat. */
  forget({ route, netfilter }: HostSockets, network: Network): void {
    this.#firewall.forget(netfilter, network)
    removeQueue(route, bridgeQueueName(network.bridge))
  }

  async leave(network: Network, { containerId }: LiveEndpoint, status: EndpointStatus | undefined): Promise<void> {
    const row = this.#records.get(containerId, network.id)
    const { route } = await this.#host.sockets()
    // while its row is there, whoever finds us dead knows of the interface
    if (row !== undefined && hasLink(route, row.hostInterface)) deleteLink(route, row.hostInterface)
    crashPoint("disconnect:interface-gone")
    // they may be published by another of its endpoints in a moment
    const hasPorts = this.#records.ports(containerId).some(({ networkId }) => networkId === network.id)
    if (hasPorts) await this.#rootless?.unbind(containerId)
    await this.teardown(network, containerId, status)
  }

  async movePorts(from: Network, to: Network, containerId: string): Promise<PortMapping[]> {
    const host = await this.#host.sockets()
    const rootless = this.#rootless
    const deps = {
      db: this.#db,
      records: this.#records,
      firewall: this.#firewall,
      rebind:
        rootless === undefined
          ? undefined
          : async (ports: readonly PublishedPort[], old: EndpointRow | undefined) => {
              await rootless.unbind(containerId)
              if (old !== undefined) rootless.unpublish(host.route, containerId, old)
              await rootless.publish(host.route, this.#numbered(to), containerId, ports)
            },
    }
    const { movePorts } = await import("./move-ports.ts")
    return portMappings(await movePorts(deps, host, { from, to, containerId }))
  }

  /**
   * Takes back what dead containers hold, and restores for the living what somebody took from them: the bridge, the table
   * (`nft flush ruleset`), the ways of rootless ports.
   */
  async sweep(alive: ReadonlySet<string>, { signal }: Cancellable = {}): Promise<void> {
    const endpoints = this.#records.list().filter(({ hostInterface }) => hostInterface !== "")
    const strayed = this.#rootless?.published().filter((id) => !this.#records.has(id)) ?? []
    for (const id of this.#holders.containers()) if (!this.#records.has(id)) this.#holders.end(id)
    if (endpoints.length === 0 && strayed.length === 0) return
    const host = await this.#host.sockets()
    // a container that is being started now is in nobody's list yet: its process tells
    const dead = endpoints.filter((endpoint) => !alive.has(endpoint.containerId) && !isHeldOn(host, endpoint))
    for (const { containerId, networkId } of dead) this.#release(host, containerId, networkId)
    for (const id of strayed) this.#rootless?.unpublish(host.route, id)
    const living = endpoints.filter((endpoint) => !dead.includes(endpoint))
    for (const network of listBridges(this.#db))
      await this.#restore(
        host,
        network,
        living.filter(({ networkId }) => networkId === network.id),
        { alive, signal },
      )
  }

  async #restore(
    host: HostSockets,
    network: Network,
    living: readonly EndpointRow[],
    { alive, signal }: Cancellable & { alive: ReadonlySet<string> },
  ): Promise<void> {
    if (living.length === 0) return
    await this.#bridges.ensure(host.route, this.#bridges.possible(network))
    await this.#firewall.ensure(host.netfilter, network, signal)
    await this.#rootless?.open(signal)
    for (const { containerId } of living)
      if (alive.has(containerId) && this.#rootless?.isPublished(containerId) === false)
        await this.#rootless.publish(host.route, this.#numbered(network), containerId, this.#records.ports(containerId))
  }

  /** See `Networks.reload`. */
  async reload(containerIds: readonly string[]): Promise<void> {
    const rows = this.#records.list().filter(({ containerId }) => containerIds.includes(containerId))
    if (rows.length === 0) return
    const host = await this.#host.sockets()
    for (const network of listBridges(this.#db))
      if (rows.some(({ networkId }) => networkId === network.id))
        await this.#bridges.make(host.route, this.#bridges.possible(network))
    await this.#firewall.rewrite(host.netfilter)
    if (this.#rootless === undefined) return
    await this.#rootless.open()
    for (const { containerId, networkId, address, address6 } of rows) {
      const network = listBridges(this.#db).find(({ id }) => id === networkId)
      const ports = this.#records.ports(containerId).filter((port) => port.networkId === networkId)
      if (network !== undefined && ports.length > 0)
        await this.#rootless.republish(host.route, this.#numbered(network), { containerId, address, address6, ports })
    }
  }

  #numbered(network: Network): NumberedNetwork {
    const row = this.#db.get<{ number: number }>("SELECT rowid - 1 AS number FROM networks WHERE id = ?", network.id)
    return { ...network, number: row?.number ?? 0 }
  }

  #release(host: HostSockets, containerId: string, networkId: string): void {
    this.#db.transaction(() => this.#forget(host, containerId, networkId))
  }

  #forget(host: HostSockets, containerId: string, networkId: string): void {
    const row = this.#records.get(containerId, networkId)
    const bounds = row === undefined ? [] : this.#firewall.boundChanges("delete", row)
    const { endpoint, ports } = this.#records.remove(containerId, networkId)
    this.#firewall.close(host.netfilter, endpoint, { ports, bounds })
    this.#holders.end(containerId)
    if (endpoint !== undefined) removeQueue(host.route, queueName(endpoint.hostInterface))
    if (ports.length > 0 || !this.#records.has(containerId))
      this.#rootless?.unpublish(host.route, containerId, endpoint)
  }
}

/** What is published is reached from outside, which an internal network is not. */
function refusePorts({ name, options }: Network, { ports }: Pick<Endpoint, "ports">): void {
  if (options.internal !== true || ports.length === 0) return
  throw new FailedPrecondition(`no port can be published on network "${name}": it is internal`, {
    field: "ports",
    hint: "publish nothing, or put the container on a second network that is not internal",
  })
}
