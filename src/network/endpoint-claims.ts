import { setTimeout as sleep } from "node:timers/promises"
import { throwIfAborted } from "../base/cancel.ts"
import type { Database } from "../base/database.ts"
import { isSkiffError, Unavailable } from "../base/errors.ts"
import type { PortMapping } from "../spec/docker/port-mapping.ts"
import { hasLink } from "../sys/net/rtnetlink.ts"
import type { Pid } from "../sys/process/process.ts"
import { claimPorts, type ClaimedPort, type HostPort } from "./claim-ports.ts"
import { HostInterfaces } from "./host-interfaces.ts"
import { placeOf } from "./host-place.ts"
import { isLoopback6Translated } from "./ipv6-host.ts"
import type { HostSockets } from "./host-side.ts"
import { parseIpv4, parseMac } from "./ipv4.ts"
import { newPortName, type KernelNames } from "./names.ts"
import type { Network, ReservedEndpoint } from "./network.ts"
import { type EndpointRecords, isHeld, type EndpointRow } from "./records.ts"

/**
 * A container of another store that is gone gives its ports back when the kernel has ended its interface, the pasta of one of
 * ours when it has seen its signal.
 */
const LEAVING_WAIT_MS = 300
/** While a pasta of ours is known to be ending, which on a busy machine takes its time. */
const PASTA_WAIT_MS = 5000
const LEAVING_POLL_MS = 20

/** What claims are handed. */
export interface EndpointClaimsDeps {
  db: Database
  records: EndpointRecords
  runRoot: string
  names: KernelNames
  isRootless: boolean
  /** Whether a pasta that had ports is about to end. */
  isLeaving(): boolean
  /** Takes back all of an endpoint, in the caller's transaction. */
  forget(host: HostSockets, containerId: string, networkId: string): void
}

/** Addresses and host ports of endpoints: each belongs to one container, and a dead one's is free. */
export class EndpointClaims {
  readonly #db: Database
  readonly #records: EndpointRecords
  readonly #runRoot: string
  readonly #names: KernelNames
  readonly #isRootless: boolean
  readonly #forget: EndpointClaimsDeps["forget"]
  readonly #isLeaving: () => boolean

  constructor({ db, records, runRoot, names, isRootless, isLeaving, forget }: EndpointClaimsDeps) {
    this.#db = db
    this.#records = records
    this.#runRoot = runRoot
    this.#names = names
    this.#isRootless = isRootless
    this.#forget = forget
    this.#isLeaving = isLeaving
  }

  /** A row with an address, and ports; waits for what may be on its way out. Throws AlreadyExists, Unavailable, Cancelled. */
  async claim(
    host: HostSockets,
    network: Network,
    endpoint: Omit<ReservedEndpoint, "macAddress"> & { macAddress?: string; holder?: Pid },
    signal: AbortSignal | undefined,
  ): Promise<{ row: EndpointRow; claimed: ClaimedPort[] }> {
    let wasLeaving = false
    for (let waitedMs = 0; ; waitedMs += LEAVING_POLL_MS)
      try {
        await this.#db.whenFree(signal)
        return this.#claimNow(host, network, endpoint)
      } catch (error) {
        const isPort = isSkiffError(error, "AlreadyExists") && error.field === "ports"
        const mayLeave = isPort && (error.data.isLeaving === true || this.#isRootless)
        const isLeaving = this.#isLeaving()
        // it may have ended since the claim, which then deserves another
        const limitMs = isLeaving || wasLeaving ? PASTA_WAIT_MS : LEAVING_WAIT_MS
        wasLeaving = isLeaving
        if (!mayLeave || error.data.takenBy !== undefined || waitedMs >= limitMs) throw error
        throwIfAborted(signal, `waiting for a published port of network "${network.name}"`)
        await sleep(LEAVING_POLL_MS)
      }
  }

  /** In one transaction: they are all there or none is. */
  #claimNow(
    host: HostSockets,
    network: Network,
    {
      containerId,
      ports,
      address,
      address6,
      preferredAddress,
      macAddress,
      names,
      holder,
    }: ReservedEndpoint & { holder?: Pid },
  ): { row: EndpointRow; claimed: ClaimedPort[] } {
    return this.#db.transaction(() => {
      this.#forget(host, containerId, network.id)
      const asked = address ?? preferredAddress
      if (asked !== undefined) this.#takeBack(host, this.#records.addressHolder(network, parseIpv4(asked, "--ip")))
      if (address6 !== undefined) this.#takeBack(host, this.#records.address6Holder(network, placeOf(address6)))
      const row = this.#records.add(network, {
        containerId,
        holder,
        hostInterface: newPortName(this.#names),
        wanted: address,
        preferred: preferredAddress,
        wanted6: address6,
        macAddress: macAddress === undefined ? undefined : parseMac(macAddress),
        names,
      })
      return { row, claimed: this.claimPorts(host, row, ports) }
    })
  }

  /** Of an endpoint that has its row. Throws AlreadyExists, naming who has the port. */
  claimPorts(host: HostSockets, row: EndpointRow, ports: readonly PortMapping[]): ClaimedPort[] {
    using interfaces = new HostInterfaces(this.#runRoot)
    return claimPorts(ports, row, {
      holder: (port) => this.#livePortHolder(host, port),
      innerPort: (port) => this.#innerPort(port),
      add: (port) => this.#records.addPort(row, port),
      // of a living container of ours, too, as by the records the port is nobody's: it was taken back from it
      isLeftBehind: (index) =>
        interfaces.isLeftBehind(index, (id) => this.#records.hasPrefix(id)) ||
        interfaces.containerOf(index)?.runRoot === this.#runRoot,
      containerOf: (index) => interfaces.containerOf(index),
      // pasta has it, whatever the kernel does on bridges
      hasLoopback6: () => this.#isRootless || isLoopback6Translated(),
    })
  }

  #takeBack(host: HostSockets, holder: EndpointRow | undefined): void {
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

  /** Rootless two containers may publish one port on two addresses of the host, which the taps cannot tell apart. */
  #innerPort({ protocol, hostPort }: HostPort): number {
    if (!this.#isRootless) return hostPort
    for (let step = 0; step < 0xffff; step++) {
      const port = ((hostPort - 1 + step) % 0xffff) + 1
      if (!this.#records.hasInnerPort(protocol, port)) return port
    }
    throw new Unavailable(`no ${protocol} port is left in the rootless network`, {
      hint: "stop containers that publish ports",
    })
  }
}

/** Whether its process is alive, or its interface is there. */
export function isHeldOn({ route }: HostSockets, endpoint: EndpointRow): boolean {
  return isHeld(endpoint, (name) => hasLink(route, name))
}
