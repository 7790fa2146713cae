/** Who has which address and port. Every function here runs inside a transaction of the caller. */
import type { Database } from "../base/database.ts"
import { Unavailable } from "../base/errors.ts"
import type { Protocol } from "../spec/docker/port-mapping.ts"
import { bootId, processStartTime, type Pid } from "../sys/process/process.ts"
import { givenSpan, reservedAddresses } from "./address-span.ts"
import { checkGivable, isGivable } from "./givable-address.ts"
import { formatIpv4, formatMac, macOfAddress, parseIpv4 } from "./ipv4.ts"
import { addressInUse, leaseHolder } from "./leases.ts"
import type { NameChanges, Network } from "./network.ts"
import { chooseAddress6, givableAddress6, hasIpv6 } from "./choose-ipv6.ts"
import type { PublishedPort, Source } from "./nftables.ts"

/** An address that an endpoint has; of one with no living container it is free again. */
export interface EndpointRow {
  containerId: string
  networkId: string
  address: number
  /** Its end on the host; empty where it has none there (macvlan-driver.ts). */
  hostInterface: string
  pid: number
  pidStartTime: number
  bootId: string
  /** Empty in rows of earlier versions. */
  macAddress: string
  /** Where it may not send (refusals.ts). */
  refused: string
  /** Empty: it has no IPv6. */
  address6: string
  /** What it is called on its network, a JSON list of names. */
  names: string
}

/** Stands for the process of an endpoint whose namespace no process holds. */
const NO_HOLDER = 0

/** What a new endpoint is to have. */
export interface EndpointWanted {
  containerId: string
  holder?: Pid
  hostInterface: string
  /** An address as text; undefined: any. */
  wanted?: string
  /** Of no `wanted`: this one, where it is free. */
  preferred?: string
  /** An IPv6 address as text; undefined: it follows from the address. */
  wanted6?: string
  /** Undefined: it follows from the address. */
  macAddress?: Uint8Array
  names?: readonly string[]
}

/** 0: it has ended meanwhile; the row is free to take over at once. */
function holderOf(holder: Pid | undefined): { pid: number; pidStartTime: number } {
  if (holder === undefined) return { pid: NO_HOLDER, pidStartTime: 0 }
  return { pid: holder, pidStartTime: processStartTime(holder) ?? 0 }
}

/** A published port. */
export interface PortRow extends PublishedPort {
  containerId: string
  networkId: string
}

const ENDPOINT_COLUMNS = `container_id AS containerId, network_id AS networkId, address, host_interface AS hostInterface,
  pid, pid_start_time AS pidStartTime, boot_id AS bootId, mac_address AS macAddress, refused, address6, names`
const PORT_COLUMNS = `container_id AS containerId, network_id AS networkId, protocol, host_port AS hostPort, host_address AS hostAddress, address,
  container_port AS containerPort, inner_port AS innerPort, (SELECT address6 FROM network_endpoints AS endpoint
    WHERE endpoint.container_id = network_ports.container_id AND endpoint.network_id = network_ports.network_id) AS address6`

/** The rows of endpoints and ports. Every call is one short statement or transaction. */
export class EndpointRecords {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  has(containerId: string, networkId?: string): boolean {
    const sql = "SELECT 1 FROM network_endpoints WHERE container_id = ? AND network_id = ifnull(?, network_id)"
    return this.#db.get(sql, containerId, networkId ?? null) !== undefined
  }

  /** Whether there is an endpoint of a container whose id begins so. */
  hasPrefix(id: string): boolean {
    const sql = "SELECT 1 FROM network_endpoints WHERE container_id >= ? AND container_id < ?"
    return this.#db.get(sql, id, `${id}~`) !== undefined
  }

  list(): EndpointRow[] {
    return this.#db.all<EndpointRow>(`SELECT ${ENDPOINT_COLUMNS} FROM network_endpoints`)
  }

  /** Those of one container, on all of its networks. */
  of(containerId: string): EndpointRow[] {
    return this.#db.all<EndpointRow>(
      `SELECT ${ENDPOINT_COLUMNS} FROM network_endpoints WHERE container_id = ?`,
      containerId,
    )
  }

  ports(containerId?: string): PortRow[] {
    return containerId === undefined
      ? this.#db.all<PortRow>(`SELECT ${PORT_COLUMNS} FROM network_ports`)
      : this.#db.all<PortRow>(`SELECT ${PORT_COLUMNS} FROM network_ports WHERE container_id = ?`, containerId)
  }

  /** Removes the container's endpoint in a network with its ports; gives what the kernel has yet to forget. */
  remove(containerId: string, networkId: string): { endpoint: EndpointRow | undefined; ports: PortRow[] } {
    const ports = this.ports(containerId).filter((port) => port.networkId === networkId)
    const endpoint = this.#db.get<EndpointRow>(
      `DELETE FROM network_endpoints WHERE container_id = ? AND network_id = ? RETURNING ${ENDPOINT_COLUMNS}`,
      containerId,
      networkId,
    )
    return { endpoint, ports }
  }

  get(containerId: string, networkId: string): EndpointRow | undefined {
    const sql = `SELECT ${ENDPOINT_COLUMNS} FROM network_endpoints WHERE container_id = ? AND network_id = ?`
    return this.#db.get<EndpointRow>(sql, containerId, networkId)
  }

  /** Names another process as the one with which the namespace ends. */
  hold(endpoint: EndpointRow, holder: Pid | undefined): EndpointRow {
    const { pid, pidStartTime } = holderOf(holder)
    this.#db.run(
      "UPDATE network_endpoints SET pid = ?, pid_start_time = ? WHERE container_id = ? AND network_id = ?",
      pid,
      pidStartTime,
      endpoint.containerId,
      endpoint.networkId,
    )
    return { ...endpoint, pid, pidStartTime }
  }

  /** Says where the endpoint may not send. */
  refuse(endpoint: EndpointRow, refused: string): EndpointRow {
    const sql = "UPDATE network_endpoints SET refused = ? WHERE container_id = ? AND network_id = ?"
    if (refused !== endpoint.refused) this.#db.run(sql, refused, endpoint.containerId, endpoint.networkId)
    return { ...endpoint, refused }
  }

  /** Takes its IPv6 address back. */
  loseIpv6(endpoint: EndpointRow): EndpointRow {
    const sql = "UPDATE network_endpoints SET address6 = '' WHERE container_id = ? AND network_id = ?"
    this.#db.run(sql, endpoint.containerId, endpoint.networkId)
    return { ...endpoint, address6: "" }
  }

  /** Says who is asked for names that are none of ours. */
  askElsewhere(containerId: string, networkId: string, nameServers: readonly string[]): void {
    const sql = "UPDATE network_endpoints SET name_servers = ? WHERE container_id = ? AND network_id = ?"
    this.#db.run(sql, JSON.stringify(nameServers), containerId, networkId)
  }

  /** Calls the endpoint otherwise from now on: the next question is answered so. */
  rename(containerId: string, networkId: string, names: readonly string[]): void {
    const sql = "UPDATE network_endpoints SET names = ? WHERE container_id = ? AND network_id = ?"
    this.#db.run(sql, JSON.stringify(names), containerId, networkId)
  }

  /** The same of all endpoints of a container. */
  changeNames(containerId: string, { add = [], remove = [], nameServers }: NameChanges): void {
    const sql = "SELECT network_id AS networkId, names FROM network_endpoints WHERE container_id = ?"
    for (const { networkId, names } of this.#db.all<{ networkId: string; names: string }>(sql, containerId)) {
      const kept = (JSON.parse(names) as string[]).filter((name) => !remove.includes(name))
      const now = [...new Set([...kept, ...add])]
      if (JSON.stringify(now) !== names) this.rename(containerId, networkId, now)
      if (nameServers !== undefined) this.askElsewhere(containerId, networkId, nameServers)
    }
  }

  /** Sources that the guard may know though their endpoints are gone. */
  addStaleSources(sources: readonly Source[]): void {
    const sql = "INSERT INTO network_stale_sources VALUES (?, ?, ?, ?)"
    for (const { hostInterface, macAddress, address, address6 } of sources)
      if (macAddress !== "") this.#db.run(sql, hostInterface, macAddress, address, address6)
  }

  /** Gives them, and forgets them. */
  takeStaleSources(): Source[] {
    const columns = "host_interface AS hostInterface, mac_address AS macAddress, address, address6"
    if (this.#db.get("SELECT 1 FROM network_stale_sources LIMIT 1") === undefined) return []
    return this.#db.all<Source>(`DELETE FROM network_stale_sources RETURNING ${columns}`)
  }

  /**
   * Gives the container an address: the one asked for, or the next after the last that was given out.
   * Throws InvalidArgument or AlreadyExists for `wanted`, Unavailable when none is left.
   */
  add(
    network: Network,
    { containerId, holder, hostInterface, wanted, wanted6, preferred, macAddress, names = [] }: EndpointWanted,
  ): EndpointRow {
    const address =
      wanted === undefined
        ? (this.#preferred(network, preferred, containerId) ?? this.#next(network, containerId))
        : this.#wanted(network, wanted, containerId)
    const endpoint: EndpointRow = {
      containerId,
      networkId: network.id,
      address,
      hostInterface,
      ...holderOf(holder),
      bootId: bootId(),
      macAddress: formatMac(macAddress ?? macOfAddress(address)),
      refused: "",
      address6: this.#address6(network, address, wanted6, containerId),
      names: JSON.stringify(names),
    }
    this.#db.run(
      `INSERT INTO network_endpoints (container_id, network_id, address, host_interface, pid, pid_start_time, boot_id, mac_address, address6, names)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      containerId,
      network.id,
      address,
      hostInterface,
      endpoint.pid,
      endpoint.pidStartTime,
      endpoint.bootId,
      endpoint.macAddress,
      endpoint.address6,
      endpoint.names,
    )
    return endpoint
  }

  /** What an earlier run had, where nobody else has got it meanwhile. */
  #preferred(network: Network, text: string | undefined, containerId: string): number | undefined {
    if (text === undefined || !isGivable(network, text)) return undefined
    const address = parseIpv4(text)
    return this.#isTaken(network, address, containerId) ? undefined : address
  }

  #isTaken(network: Network, address: number, containerId: string): boolean {
    if (this.addressHolder(network, address) !== undefined) return true
    const lessee = leaseHolder(this.#db, network, formatIpv4(address))
    return lessee !== undefined && lessee !== containerId
  }

  #address6(network: Network, address: number, wanted: string | undefined, containerId: string): string {
    if (hasIpv6(network))
      return chooseAddress6(network, {
        address,
        wanted,
        holder: (address6) => {
          const holder = this.address6Holder(network, address6)?.containerId ?? leaseHolder(this.#db, network, address6)
          return holder === containerId ? undefined : holder
        },
      })
    if (wanted === undefined) return ""
    return givableAddress6(network, wanted)
  }

  #next(network: Network, containerId: string): number {
    const { first, last } = givenSpan(network)
    const reserved = reservedAddresses(network)
    const count = last - first + 1
    const row = this.#db.get<{ last: number }>("SELECT last_address AS last FROM networks WHERE id = ?", network.id)
    // one that lies before the span was given to nobody: the gateway's
    const start = Math.max(0, (row?.last ?? first - 1) - first + 1)
    for (let step = 0; step < count; step++) {
      const address = first + ((start + step) % count)
      if (reserved.has(address) || this.#isTaken(network, address, containerId)) continue
      this.#db.run("UPDATE networks SET last_address = ? WHERE id = ?", address, network.id)
      return address
    }
    throw new Unavailable(
      `no address is free in network "${network.name}" (${network.options.ipRange ?? network.subnet})`,
      {
        hint: ["remove containers that are no longer needed", { do: "listContainers" }],
      },
    )
  }

  #wanted(network: Network, text: string, containerId: string): number {
    checkGivable(network, text)
    const address = parseIpv4(text, "--ip")
    const holder = this.addressHolder(network, address)?.containerId ?? leaseHolder(this.#db, network, text)
    if (holder !== undefined && holder !== containerId) throw addressInUse(text, holder)
    return address
  }

  addressHolder(network: Network, address: number): EndpointRow | undefined {
    return this.#db.get<EndpointRow>(
      `SELECT ${ENDPOINT_COLUMNS} FROM network_endpoints WHERE network_id = ? AND address = ?`,
      network.id,
      address,
    )
  }

  address6Holder(network: Network, address6: string): EndpointRow | undefined {
    return this.#db.get<EndpointRow>(
      `SELECT ${ENDPOINT_COLUMNS} FROM network_endpoints WHERE network_id = ? AND address6 = ?`,
      network.id,
      address6,
    )
  }

  /** The endpoint that has this port of the host, or one that overlaps it (all addresses, all of a family, and one). */
  portHolder(protocol: Protocol, hostAddress: string, hostPort: number): EndpointRow | undefined {
    return this.#db.get<EndpointRow>(
      `SELECT ${ENDPOINT_COLUMNS} FROM network_endpoints WHERE container_id IN (
        SELECT container_id FROM network_ports
        WHERE protocol = ?1 AND host_port = ?2 AND (host_address = ?3 OR '' IN (host_address, ?3)
          OR ('::' IN (host_address, ?3) AND host_address LIKE '%:%' AND ?3 LIKE '%:%')
          OR ('0.0.0.0' IN (host_address, ?3) AND host_address NOT LIKE '%:%' AND ?3 NOT LIKE '%:%')))`,
      protocol,
      hostPort,
      hostAddress,
    )
  }

  hasInnerPort(protocol: Protocol, innerPort: number): boolean {
    return (
      this.#db.get("SELECT 1 FROM network_ports WHERE protocol = ? AND inner_port = ?", protocol, innerPort) !==
      undefined
    )
  }

  removePorts(ports: readonly Pick<PublishedPort, "protocol" | "hostPort" | "hostAddress">[]): void {
    for (const { protocol, hostPort, hostAddress } of ports)
      this.#db.run(
        "DELETE FROM network_ports WHERE protocol = ? AND host_port = ? AND host_address = ?",
        protocol,
        hostPort,
        hostAddress,
      )
  }

  addPort(endpoint: EndpointRow, port: PublishedPort): void {
    this.#db.run(
      "INSERT INTO network_ports VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      port.protocol,
      port.hostPort,
      port.hostAddress,
      endpoint.containerId,
      endpoint.networkId,
      port.address,
      port.containerPort,
      port.innerPort,
    )
  }
}

/**
 * Whether the endpoint's namespace may still be there. Without a holder the interface tells, which goes with its namespace:
 * later than a process, when the kernel finds time.
 */
export function isHeld(endpoint: EndpointRow, hasInterface: (name: string) => boolean): boolean {
  if (endpoint.bootId !== bootId()) return false
  if (endpoint.pid === NO_HOLDER) return endpoint.hostInterface === "" || hasInterface(endpoint.hostInterface)
  return processStartTime(endpoint.pid) === endpoint.pidStartTime
}
