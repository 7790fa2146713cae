import { rmSync } from "node:fs"
import type { Database } from "../base/database.ts"
import { FailedPrecondition, hasErrno } from "../base/errors.ts"
import { log } from "../base/log.ts"
import { FileLocks } from "../sys/fs/file-locks.ts"
import type { NetlinkSocket } from "../sys/net/netlink.ts"
import { changeElements, hasElement, type ElementChange } from "../sys/net/nfnetlink.ts"
import { applyRuleset } from "../sys/net/nft.ts"
import { listBridges } from "./network-records.ts"
import { hasTables } from "./firewall-check.ts"
import type { KernelNames } from "./names.ts"
import type { Network } from "./network.ts"
import { refusalChanges } from "./refusals.ts"
import {
  guardText,
  networkKey,
  networkMarks,
  NETWORKS,
  portChanges,
  sourceChanges,
  tableText,
  type PortElement,
  type PublishedPort,
} from "./nftables.ts"
import type { EndpointRecords, EndpointRow } from "./records.ts"
import { EGRESS_INTERFACE } from "./rootless-addresses.ts"

export interface FirewallDeps {
  db: Database
  names: KernelNames
  records: EndpointRecords
  /** Volatile directory of the store: who writes the tables holds a lock in it. */
  runRoot: string
  /** Path of the pause process's network namespace; undefined as real root. */
  netns: string | undefined
}

const LOCK = "firewall.lock"

/**
 * The two tables of a store, made of its records. Elements are added and deleted inside the transaction that changes the records.
 * The tables are written by a program, which no transaction can wait for: they are marked as whole once the records are seen to
 * be what they were made of. Without the mark, whoever comes next writes them anew.
 */
export class Firewall {
  readonly #deps: FirewallDeps
  readonly #locks: FileLocks

  constructor(deps: FirewallDeps) {
    this.#deps = deps
    this.#locks = new FileLocks(deps.runRoot, "firewall")
  }

  /** Writes the tables if one is not there, or not whole for this network. Safe to repeat, and beside others. */
  async ensure(netfilter: NetlinkSocket, network: Network, signal?: AbortSignal): Promise<void> {
    const { names, runRoot } = this.#deps
    if (hasTables(netfilter, names.table, network)) return
    const file = `${runRoot}/firewall.nft`
    using lock = await this.#locks.acquire(LOCK, { signal })
    try {
      // of those that come at once, one writes
      while (!hasTables(netfilter, names.table, network) && !(await this.#write(netfilter, file))) continue
    } finally {
      rmSync(file, { force: true })
      lock.unlink()
    }
  }

  /** Lets the endpoint, which is in the records, send, and leads its ports to it. */
  async open(
    netfilter: NetlinkSocket,
    network: Network,
    endpoint: EndpointRow,
    ports: readonly PublishedPort[],
    signal?: AbortSignal,
  ): Promise<void> {
    const { db, names } = this.#deps
    await db.whenFree(signal)
    if (endpoint.refused !== "") await this.#needGuard(netfilter, network, signal)
    const isOpen = db.transaction(() => {
      if (!hasTables(netfilter, names.table, network)) return false
      this.#add(netfilter, endpoint, ports)
      return true
    })
    // in tables made from the records it is already
    if (!isOpen) await this.ensure(netfilter, network, signal)
  }

  /** What is refused is refused at the bridge. Throws FailedPrecondition where nftables may not look at it. */
  async #needGuard(netfilter: NetlinkSocket, network: Network, signal?: AbortSignal): Promise<void> {
    await this.ensure(netfilter, network, signal)
    const place = { table: this.#deps.names.table, set: NETWORKS, key: networkKey(network) }
    if (hasElement(netfilter, { family: "bridge", ...place })) return
    throw new FailedPrecondition("nothing can be refused: this kernel does not let nftables look at bridges", {
      field: "networkLimits.refuse",
      hint: "modprobe nf_tables (CONFIG_NF_TABLES_BRIDGE)",
    })
  }

  /** False, and no mark, when the records changed meanwhile: the tables may lack something. The caller holds the lock. */
  async #write(netfilter: NetlinkSocket, file: string): Promise<boolean> {
    const { db, records, names, netns } = this.#deps
    const texts = () => {
      const networks = listBridges(db)
      const endpoints = records.list()
      const egress = netns === undefined ? undefined : EGRESS_INTERFACE
      const table = tableText(names.table, networks, { ports: this.#elements(records.ports()), endpoints }, egress)
      return { networks, table, guard: guardText(names, endpoints) }
    }
    const { networks, table, guard } = db.transaction(texts)
    const isGuarded = await this.#apply(table, guard, file)
    return db.transaction(() => {
      const now = texts()
      if (now.table !== table || now.guard !== guard) return false
      records.takeStaleSources()
      changeElements(netfilter, networkMarks(names.table, networks, { isGuarded }))
      return true
    })
  }

  /** Whether the guard is there. */
  async #apply(table: string, guard: string, file: string): Promise<boolean> {
    const { netns } = this.#deps
    try {
      await applyRuleset(table + guard, file, netns)
      return true
    } catch (cause) {
      // a kernel without tables of family bridge; any other fault is in the first table too
      await applyRuleset(table, file, netns)
      log.warn("this kernel does not let nftables look at bridges: containers may send with each other's addresses", {
        reason: String(cause),
      })
      return false
    }
  }

  #add(netfilter: NetlinkSocket, endpoint: EndpointRow, ports: readonly PublishedPort[]): void {
    const { records, names } = this.#deps
    const stale = sourceChanges("delete", names.table, records.takeStaleSources())
    const added = [
      ...sourceChanges("add", names.table, [endpoint]),
      ...portChanges("add", names.table, this.#elements(ports)),
      ...refusalChanges("add", names.table, [endpoint]),
    ]
    try {
      changeElements(netfilter, [...stale, ...added])
    } catch (error) {
      if (!hasErrno(error, "ENOENT", "EEXIST", "EBUSY")) throw error
      // the records say that these are ours: what is there was left by a crash, what is not needs no deleting
      this.#deleteEach(netfilter, [...stale, ...added])
      this.#addEach(netfilter, added)
    }
  }

  /** Leads ports to their endpoints, and others no longer: at once. The caller's transaction has changed the records. */
  change(
    netfilter: NetlinkSocket,
    { add, remove }: { add: readonly PublishedPort[]; remove: readonly PublishedPort[] },
  ): void {
    const { table } = this.#deps.names
    const removed = portChanges("delete", table, this.#elements(remove))
    const added = portChanges("add", table, this.#elements(add))
    try {
      changeElements(netfilter, [...removed, ...added])
    } catch (error) {
      if (!hasErrno(error, "ENOENT", "EEXIST", "EBUSY")) throw error
      this.#deleteEach(netfilter, [...removed, ...added])
      this.#addEach(netfilter, added)
    }
  }

  /**
   * Takes the ports of an endpoint back, from where it was known by them; and what it may send, if that does not cost a
   * deletion of its own: after one, the end of this process waits for the kernel (16 ms). The next `open` does it for nothing.
   */
  close(netfilter: NetlinkSocket, endpoint: EndpointRow | undefined, ports: readonly PublishedPort[]): void {
    const { records, names } = this.#deps
    const sources = endpoint === undefined ? [] : [endpoint]
    const isRefused = endpoint !== undefined && endpoint.refused !== ""
    if (ports.length === 0 && !isRefused) return records.addStaleSources(sources)
    const changes = [
      ...portChanges("delete", names.table, this.#elements(ports)),
      ...sourceChanges("delete", names.table, sources),
      ...refusalChanges("delete", names.table, sources),
    ]
    try {
      changeElements(netfilter, changes)
    } catch (error) {
      if (!hasErrno(error, "ENOENT")) throw error
      // one that is missing spoils the whole batch
      this.#deleteEach(netfilter, changes)
    }
  }

  #deleteEach(netfilter: NetlinkSocket, changes: readonly ElementChange[]): void {
    for (const change of changes)
      for (const { key, keyEnd } of change.elements)
        unless("ENOENT", () =>
          changeElements(netfilter, [{ ...change, action: "delete", elements: [{ key, keyEnd }] }]),
        )
  }

  /** A table of family bridge may be missing (ensure). */
  #addEach(netfilter: NetlinkSocket, changes: readonly ElementChange[]): void {
    for (const change of changes)
      if (change.family === "bridge") unless("ENOENT", () => changeElements(netfilter, [change]))
      else changeElements(netfilter, [change])
  }

  /** Rootless the host's address was checked by pasta, and all that arrives is for the tap's. */
  #elements(ports: readonly PublishedPort[]): PortElement[] {
    if (this.#deps.netns === undefined) return [...ports]
    return ports.map((port) => Object.assign({}, port, { hostAddress: "" }))
  }
}

function unless(errno: string, body: () => unknown): void {
  try {
    body()
  } catch (error) {
    if (!hasErrno(error, errno)) throw error
  }
}
