/**
 * The drivers macvlan and ipvlan: each container has an interface of its own on top of one of the host's, and is a neighbour of the host
 * on that one's network. Neither rules nor ports of the host have a part in it, and the kernel lets the host itself not reach them.
 */
import { closeSync } from "node:fs"
import { heeding, throwIfAborted, type Cancellable } from "../base/cancel.ts"
import type { Database } from "../base/database.ts"
import { FailedPrecondition, Unsupported } from "../base/errors.ts"
import type { PortMapping } from "../spec/docker/port-mapping.ts"
import { deleteLink, hasLink } from "../sys/net/rtnetlink.ts"
import type { Pid } from "../sys/process/process.ts"
import { configureInside, containerSysctls, DEFAULT_INTERFACE, openContainerNetns } from "./container-side.ts"
import { withoutIpv6 } from "./choose-ipv6.ts"
import { networksBeside } from "./network-records.ts"
import { isHeldOn } from "./endpoint-claims.ts"
import { endpointStatus } from "./endpoint-status.ts"
import type { HostSide, HostSockets } from "./host-side.ts"
import { parseIpv4, parseMac } from "./ipv4.ts"
import type { KernelNames } from "./names.ts"
import type {
  Endpoint,
  EndpointStatus,
  LiveEndpoint,
  Network,
  NetworkDriver,
  PortReservation,
  ReservedEndpoint,
} from "./network.ts"
import { makeChild, openParent } from "./parent-interface.ts"
import { checkParentOptions, childKind, isRouted } from "./parent-options.ts"
import { EndpointRecords, type EndpointRow } from "./records.ts"

/** What the driver is handed. */
export interface MacvlanDriverDeps {
  db: Database
  names: KernelNames
  host: HostSide
  rootless: boolean
}

/** Networks on an interface of the host. */
export class MacvlanDriver implements NetworkDriver {
  readonly #deps: MacvlanDriverDeps
  readonly #records: EndpointRecords

  constructor(deps: MacvlanDriverDeps) {
    this.#deps = deps
    this.#records = new EndpointRecords(deps.db)
  }

  validate(network: Network): void {
    checkParentOptions(network)
    if (this.#deps.rootless)
      throw new Unsupported(`network "${network.name}" stands on an interface of the host, which is root's`, {
        hint: "run it as root, or use a network of the driver bridge",
      })
  }

  /** Ports are none of the host's: the container has them at its own address. */
  async reserve(network: Network, endpoint: ReservedEndpoint, { signal }: Cancellable = {}): Promise<PortReservation> {
    this.validate(network)
    await this.#claim(network, { ...endpoint, holder: process.pid as Pid }, signal)
    return { containerId: endpoint.containerId, ports: [], sockets: [], [Symbol.dispose]: () => {} }
  }

  async setup(network: Network, endpoint: Endpoint, { signal }: Cancellable = {}): Promise<EndpointStatus> {
    return heeding(signal, `joining network "${network.name}"`, () => this.#setup(network, endpoint, signal))
  }

  async #setup(network: Network, endpoint: Endpoint, signal: AbortSignal | undefined): Promise<EndpointStatus> {
    this.validate(network)
    refuseRules(network, endpoint)
    if (network.driver === "ipvlan" && endpoint.macAddress !== undefined)
      throw new Unsupported(`no MAC address can be given on network "${network.name}": ipvlan has its parent's`, {
        field: "macAddress",
      })
    const netns = openContainerNetns(endpoint)
    try {
      const { host, container } = await this.#deps.host.withContainer(
        netns,
        containerSysctls(network, networksBeside(this.#deps.db, network, endpoint.containerId)),
      )
      using _ = container
      const row = await this.#claim(network, endpoint, signal)
      try {
        this.#makeInterface(host, network, { row, name: endpoint.interface ?? DEFAULT_INTERFACE, netns })
        const inside = configureInside(container, network, { ...endpoint, withoutGateway: isRouted(network) }, row)
        throwIfAborted(signal, `joining network "${network.name}"`)
        return {
          ...endpointStatus(inside.hasIpv6 ? network : withoutIpv6(network), endpoint, row),
          // ipvlan shares its parent's
          ...(network.driver === "ipvlan" && { macAddress: "" }),
        }
      } catch (error) {
        await this.teardown(network, endpoint.containerId)
        throw error
      }
    } finally {
      closeSync(netns)
    }
  }

  #makeInterface(
    { route }: HostSockets,
    network: Network,
    { row, name, netns }: { row: EndpointRow; name: string; netns: number },
  ): void {
    const { index, mtu } = openParent(route, network, this.#deps.names.alias)
    const kind = childKind(network)
    const { driverOptions = {} } = network.options
    makeChild(route, {
      name,
      parent: index,
      kind,
      mtu: Number(driverOptions.mtu ?? driverOptions["com.docker.network.driver.mtu"] ?? mtu),
      // all of an ipvlan have the parent's
      macAddress: kind.kind === "macvlan" ? parseMac(row.macAddress) : undefined,
      netns,
    })
  }

  /** A row with an address. Throws AlreadyExists, Unavailable, Cancelled. */
  async #claim(
    network: Network,
    { containerId, address, address6, macAddress, names, holder }: Omit<ReservedEndpoint, "ports"> & { holder?: Pid },
    signal: AbortSignal | undefined,
  ): Promise<EndpointRow> {
    const { db, host } = this.#deps
    const sockets = await host.sockets()
    await db.whenFree(signal)
    return db.transaction(() => {
      this.#records.remove(containerId, network.id)
      const before = address === undefined ? undefined : this.#records.addressHolder(network, parseIpv4(address))
      if (before !== undefined && !isHeldOn(sockets, before)) this.#records.remove(before.containerId, network.id)
      return this.#records.add(network, {
        containerId,
        holder,
        hostInterface: "",
        wanted: address,
        wanted6: address6,
        macAddress: macAddress === undefined ? undefined : parseMac(macAddress),
        names,
      })
    })
  }

  /** The host has no end of it, and does not see what it carries. */
  async traffic(): Promise<undefined> {
    return undefined
  }

  async changePorts(network: Network): Promise<PortMapping[]> {
    throw new FailedPrecondition(`network "${network.name}" publishes no ports: its containers are reached directly`, {
      field: "ports",
    })
  }

  async setRate(network: Network): Promise<void> {
    refuseRules(network, { rate: {} })
  }

  /** The interface is in the namespace alone. */
  async leave(network: Network, { containerId, netns, interface: name }: LiveEndpoint): Promise<void> {
    const fd = openContainerNetns({ containerId, netns })
    try {
      const { container } = await this.#deps.host.withContainer(fd, [])
      using _ = container
      if (hasLink(container, name)) deleteLink(container, name)
    } finally {
      closeSync(fd)
    }
    await this.teardown(network, containerId)
  }

  /** There are none. */
  async movePorts(): Promise<PortMapping[]> {
    return []
  }

  /** The interface goes with its namespace. */
  async teardown(network: Network, containerId: string): Promise<void> {
    const { db } = this.#deps
    if (!this.#records.has(containerId, network.id)) return
    await db.whenFree()
    db.transaction(() => void this.#records.remove(containerId, network.id))
  }

  /** Frees addresses of containers that are gone. */
  async sweep(alive: ReadonlySet<string>): Promise<void> {
    const { db, host } = this.#deps
    const left = this.#records.list().filter((row) => row.hostInterface === "" && !alive.has(row.containerId))
    if (left.length === 0) return
    const sockets = await host.sockets()
    db.transaction(() => {
      for (const row of left) if (!isHeldOn(sockets, row)) this.#records.remove(row.containerId, row.networkId)
    })
  }
}

/** Nothing of the host stands between a container and the parent's network. */
function refuseRules(network: Network, { rate, refuse = [] }: Pick<Endpoint, "rate" | "refuse">): void {
  if (rate === undefined && refuse.length === 0) return
  const what = rate === undefined ? "nothing can be refused" : "no rate can be set"
  throw new FailedPrecondition(`${what} on network "${network.name}": the host does not see what it carries`, {
    field: rate === undefined ? "networkLimits.refuse" : "networkLimits.rate",
    hint: "use a network of the driver bridge",
  })
}
