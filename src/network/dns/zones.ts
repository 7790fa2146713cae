/** Who is called what on the networks of a store, as its records say at this moment. */
import type { Database } from "../../base/database.ts"
import type { Protocol } from "../../spec/docker/port-mapping.ts"
import { bootId } from "../../sys/process/process.ts"
import { contains, formatIpv4, parseIpv4, parseIpv4Range, type Ipv4Range } from "../ipv4.ts"
import { formatIpv6, ipv6Contains, parseIpv6, parseIpv6Range, type Ipv6Range } from "../ipv6.ts"
import { listNetworks } from "../network-records.ts"
import type { Network } from "../network.ts"
import { EgressRecords, type EgressRow } from "../egress/records.ts"
import { haveNames, parseRules } from "../egress/rules.ts"
import { hasResolver, isDefaultBridge } from "./has-resolver.ts"

/** Somebody who is on a network. */
export interface Member {
  containerId: string
  address: string
  address6?: string
  /** The first is the container's own. */
  names: readonly string[]
  /** Ports of the container that are published on the host. */
  published: readonly { protocol: Protocol; port: number }[]
  /** Asked for what is no name of ours, in place of the network's and the host's. */
  servers: readonly string[]
}

/** A network, and who is called what there. */
export interface Zone {
  network: Network
  members: readonly Member[]
  /** By name in lower case. */
  named: ReadonlyMap<string, readonly Member[]>
}

/** Who asks, and where he may look: on the network by which he asks first, then on his others. */
export interface Asker {
  containerId: string
  zones: readonly [Zone, ...Zone[]]
  servers: readonly string[]
  /** Whether he, or a network of his, may not send everywhere (../egress/): of all others nobody hears what they ask. */
  isConfined: boolean
}

interface MemberRow {
  containerId: string
  networkId: string
  address: number
  address6: string
  names: string
  servers: string
}

/**
 * The records as zones. Nobody tells of a change: before each answer SQLite is asked whether there was one (1 µs), so an answer is
 * never older than its question, and a container whose start has been written down is known.
 */
export class Zones {
  readonly #db: Database
  #version: number | undefined
  #askers = new Map<string, Asker>()
  #ranges: readonly Ipv4Range[] = []
  #ranges6: readonly Ipv6Range[] = []

  constructor(db: Database) {
    this.#db = db
  }

  /** Whether any network has somebody who may ask. */
  get isEmpty(): boolean {
    this.#refresh()
    return ![...this.#askers.values()].some(({ containerId }) => containerId !== HOST)
  }

  /** Undefined: nobody of ours has this address. */
  asker(address: string): Asker | undefined {
    this.#refresh()
    return this.#askers.get(address)
  }

  /** Whether the address can only be one of a network of ours: nobody outside knows whose. */
  isOurs(address: string): boolean {
    if (!address.includes(":")) return this.#ranges.some((range) => contains(range, parseIpv4(address)))
    const number = parseIpv6(address)
    return this.#ranges6.some((range) => ipv6Contains(range, number))
  }

  #refresh(): void {
    const version = this.#db.get<{ data_version: number }>("PRAGMA data_version")?.data_version
    if (version === this.#version) return
    // one moment of the records, not one for each table
    this.#db.snapshot(() => this.#read())
    this.#version = version
  }

  #read(): void {
    const networks = listNetworks(this.#db)
    this.#ranges = networks.flatMap(({ subnet }) => (subnet === "" ? [] : [parseIpv4Range(subnet)]))
    this.#ranges6 = networks.flatMap(({ subnet6 }) => (subnet6 === undefined ? [] : [parseIpv6Range(subnet6)]))
    const members = this.#members()
    const zones = networks.filter(hasResolver).map((network) => zoneOf(network, members.get(network.id) ?? []))
    const rules = new EgressRecords(this.#db).all()
    const usual = networks.find(isDefaultBridge)
    if (usual !== undefined) zones.push(askersOf(usual, members.get(usual.id) ?? [], rules))
    const confining = networks.filter(({ options }) => options.allow !== undefined)
    const confined = new Set([
      ...rules.map(({ containerId }) => containerId),
      ...confining.flatMap(({ id }) => (members.get(id) ?? []).map(({ containerId }) => containerId)),
    ])
    const ofContainer = new Map<string, Zone[]>()
    for (const zone of zones) for (const { containerId } of zone.members) entryOf(ofContainer, containerId).push(zone)
    this.#askers = new Map()
    // the host itself, by its own address there
    for (const zone of zones)
      if (zone.network.options.virtual !== undefined)
        this.#askers.set(zone.network.gateway, { containerId: HOST, zones: [zone], servers: [], isConfined: false })
    for (const zone of zones)
      for (const { containerId, address, servers } of zone.members) {
        const others = (ofContainer.get(containerId) ?? []).filter((other) => other !== zone)
        this.#askers.set(address, {
          containerId,
          zones: [zone, ...others],
          servers,
          isConfined: confined.has(containerId),
        })
      }
  }

  #members(): Map<string, Member[]> {
    const ports = new Map<string, { protocol: Protocol; port: number }[]>()
    const published = this.#db.all<{ owner: string; protocol: Protocol; port: number }>(
      "SELECT container_id || network_id AS owner, protocol, container_port AS port FROM network_ports",
    )
    for (const { owner, protocol, port } of published) entryOf(ports, owner).push({ protocol, port })
    const members = new Map<string, Member[]>()
    const rows = this.#db.all<MemberRow>(
      `SELECT container_id AS containerId, network_id AS networkId, address, address6, names, name_servers AS servers
        FROM network_endpoints WHERE boot_id = ?`,
      bootId(),
    )
    for (const { containerId, networkId, address, address6, names, servers } of rows)
      entryOf(members, networkId).push({
        containerId,
        address: formatIpv4(address),
        ...(address6 === "" ? {} : { address6: formatIpv6(parseIpv6(address6)) }),
        names: JSON.parse(names) as string[],
        published: ports.get(`${containerId}${networkId}`) ?? [],
        servers: JSON.parse(servers) as string[],
      })
    return members
  }
}

/** On the default network nobody has a name; who may send to some names of the world alone asks for those. */
function askersOf(network: Network, members: readonly Member[], rules: readonly EgressRow[]): Zone {
  const own = rules.filter(({ networkId, rules: text }) => networkId === network.id && haveNames(parseRules(text)))
  const asking = new Set(own.map(({ containerId }) => containerId))
  return { network, members: members.filter(({ containerId }) => asking.has(containerId)), named: new Map() }
}

/** Who asks from the host, and is no container. */
const HOST = "host"

function zoneOf(network: Network, members: readonly Member[]): Zone {
  const named = new Map<string, Member[]>()
  // there names are those of what stands for members, and a member's own is nobody's business
  if (network.options.virtual !== undefined) return { network, members, named }
  for (const member of members)
    for (const name of new Set(member.names.map((word) => word.toLowerCase()))) entryOf(named, name).push(member)
  return { network, members, named }
}

function entryOf<T>(map: Map<string, T[]>, key: string): T[] {
  const found = map.get(key)
  if (found !== undefined) return found
  const made: T[] = []
  map.set(key, made)
  return made
}
