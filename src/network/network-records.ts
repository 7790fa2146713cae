/** The networks on record. */
import type { Database } from "../base/database.ts"
import { InvalidArgument } from "../base/errors.ts"
import { randomHex } from "../base/random-hex.ts"
import { formatIpv4, formatIpv4Range, parseIpv4, type Ipv4Range } from "./ipv4.ts"
import type { Network, NetworkWanted } from "./network.ts"

interface NetworkRow {
  id: string
  name: string
  driver: Network["driver"]
  bridge: string
  subnet: string
  gateway: string
  created_at: number
  /** Empty: it has no IPv6. */
  subnet6: string
  gateway6: string
  /** `NetworkOptions` as JSON. */
  options: string
}

const COLUMNS = "id, name, driver, bridge, subnet, gateway, created_at, subnet6, gateway6, options"

/** All networks on record, by name. */
export function listNetworks(db: Database): Network[] {
  return db.all<NetworkRow>(`SELECT ${COLUMNS} FROM networks ORDER BY name`).map(networkOf)
}

/** Those whose bridge is ours to make and to remove; of the others `bridge` names an interface of the host, or nothing. */
export function listBridges(db: Database): Network[] {
  return listNetworks(db).filter(({ driver }) => driver === "bridge")
}

/** The others that a container is on. */
export function networksBeside(db: Database, network: Pick<Network, "id">, containerId: string): Network[] {
  const sql = `SELECT ${COLUMNS} FROM networks WHERE id <> ? AND id IN (SELECT network_id FROM network_endpoints WHERE container_id = ?)`
  return db.all<NetworkRow>(sql, network.id, containerId).map(networkOf)
}

/** By name, else by id or the beginning of one; undefined when there is none. Throws InvalidArgument when it fits several. */
export function findNetwork(db: Database, name: string): Network | undefined {
  const sql = `SELECT ${COLUMNS} FROM networks WHERE name = ?1 OR id = ?1 OR (id >= ?1 AND id < ?2) ORDER BY name = ?1 DESC, id = ?1 DESC LIMIT 2`
  const [first, second] = db.all<NetworkRow>(sql, name, /^[0-9a-f]+$/.test(name) ? `${name}g` : name)
  if (first === undefined) return undefined
  if (second !== undefined && first.name !== name && first.id !== name)
    throw new InvalidArgument(`several networks have an id that begins with "${name}"`, {
      hint: "give more digits",
      data: { object: "network", name, reason: "ambiguous" },
    })
  return networkOf(first)
}

/** Writes other options of a network down, in the caller's transaction. */
export function writeNetworkOptions(db: Database, { id, options }: Pick<Network, "id" | "options">): void {
  db.run("UPDATE networks SET options = ? WHERE id = ?", JSON.stringify(options), id)
}

function networkOf({ created_at: createdAt, subnet6, gateway6, options, ...row }: NetworkRow): Network {
  return {
    ...row,
    createdAt: new Date(createdAt),
    ...(subnet6 === "" ? {} : { subnet6, gateway6 }),
    options: JSON.parse(options) as Network["options"],
  }
}

/** Writes a new network down, in the caller's transaction; its gateway is the first address of the range, if none is wanted. */
export function insertNetwork(
  db: Database,
  { range, ...wanted }: NetworkWanted & { id?: string; bridge: string; range: Ipv4Range },
): Network {
  const network: Network = {
    driver: "bridge",
    options: {},
    gateway: formatIpv4(range.address + 1),
    id: randomHex(32),
    ...wanted,
    createdAt: new Date(),
    subnet: formatIpv4Range(range),
  }
  db.run(
    `INSERT INTO networks (${COLUMNS}, last_address) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    network.id,
    network.name,
    network.driver,
    network.bridge,
    network.subnet,
    network.gateway,
    network.createdAt.getTime(),
    network.subnet6 ?? "",
    network.gateway6 ?? "",
    JSON.stringify(network.options),
    parseIpv4(network.gateway),
  )
  return network
}

/** Forgets a network that has no endpoints, in the caller's transaction. */
export function deleteNetwork(db: Database, { id }: Pick<Network, "id">): void {
  db.run("DELETE FROM networks WHERE id = ?", id)
}
