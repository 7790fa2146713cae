import { rmSync } from "node:fs"
import type { Database } from "../base/database.ts"
import { FailedPrecondition, hasErrno, ignoreErrno } from "../base/errors.ts"
import { log } from "../base/log.ts"
import { FileLocks } from "../sys/fs/file-locks.ts"
import { ipBytes } from "../sys/net/ip-bytes.ts"
import type { NetlinkSocket } from "../sys/net/netlink.ts"
import { changeElements, hasElement, type ElementChange } from "../sys/net/nfnetlink.ts"
import { applyRuleset } from "../sys/net/nft.ts"
import { findNetwork, listBridges } from "./network-records.ts"
import { readReady } from "./dns/ready-file.ts"
import { resolverChange } from "./dns/redirect.ts"
import { hasTables } from "./firewall-check.ts"
import { isLoopback6Translated } from "./ipv6-host.ts"
import type { KernelNames } from "./names.ts"
import type { Network } from "./network.ts"
import { refusalChanges } from "./refusals.ts"
import { confinedOf } from "./egress/confined.ts"
import { confinedChanges } from "./egress/elements.ts"
import { apartChanges, networkChanges, selfChanges } from "./network-elements.ts"
import { areApart, networkPolicy } from "./network-policy.ts"
import {
  guardText,
  LOOPBACK6,
  networkKey,
  networkMarks,
  NETWORKS,
  portChanges,
  sourceChanges,
  tableText,
  UNGUARDED,
  WHOLE,
  type BridgeNetwork,
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
 * The two tables of a store, filled from its records. Elements are added and deleted inside the transaction that changes the records.
 * The tables are written by a program, which no transaction can wait for: empty, and then filled and marked as whole in one. Without the
 * mark, whoever comes next writes them anew.
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
    if (hasTables(netfilter, names.table, network)) return this.#followLoopback6(netfilter)
    const file = `${runRoot}/firewall.nft`
    using lock = await this.#locks.acquire(LOCK, { signal })
    try {
      // of those that come at once, one writes
      if (!this.#isThere(netfilter, network)) await this.#write(netfilter, file)
    } finally {
      rmSync(file, { force: true })
      lock.unlink()
    }
  }

  /** Writes the tables anew, whatever is there. Safe to repeat, and beside others. */
  async rewrite(netfilter: NetlinkSocket): Promise<void> {
    const file = `${this.#deps.runRoot}/firewall.nft`
    using lock = await this.#locks.acquire(LOCK)
    try {
      await this.#write(netfilter, file)
    } finally {
      rmSync(file, { force: true })
      lock.unlink()
    }
  }

  /** Whether the tables know the network; those that are whole for others are told of it. */
  #isThere(netfilter: NetlinkSocket, network: Network): boolean {
    const { db, names } = this.#deps
    if (hasTables(netfilter, names.table, network)) return true
    if (!hasTables(netfilter, names.table, WHOLE)) return false
    return db.transaction(() => {
      try {
        changeElements(netfilter, this.#networkChanges("add", netfilter, network))
        return true
      } catch (error) {
        // what another that had its bridge or its range left there: the tables are written anew
        if (!hasErrno(error, "ENOENT", "EEXIST", "ENOTEMPTY")) throw error
        return hasTables(netfilter, names.table, network)
      }
    })
  }

  #networkChanges(action: "add" | "delete", netfilter: NetlinkSocket, network: Network): ElementChange[] {
    const { table } = this.#deps.names
    const isGuarded = this.#isGuarded(netfilter, WHOLE)
    const changes = [
      ...networkChanges(action, table, network, listBridges(this.#deps.db)),
      ...networkMarks(action, table, [network], { isGuarded }),
    ]
    return isGuarded ? changes : changes.filter(({ family }) => family === "inet")
  }

  #isGuarded(netfilter: NetlinkSocket, network: BridgeNetwork): boolean {
    const { table } = this.#deps.names
    return hasElement(netfilter, { family: "bridge", table, set: NETWORKS, key: networkKey(network) })
  }

  /** Forgets a network that nobody is on. Safe to repeat. */
  forget(netfilter: NetlinkSocket, network: Network): void {
    if (!hasTables(netfilter, this.#deps.names.table, network)) return
    const changes = this.#networkChanges("delete", netfilter, network)
    try {
      changeElements(netfilter, changes)
    } catch (error) {
      if (!hasErrno(error, "ENOENT")) throw error
      this.#deleteEach(netfilter, changes)
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
    const { db } = this.#deps
    await db.whenFree(signal)
    await this.#needGuardFor(netfilter, network, endpoint, signal)
    const isOpen = db.transaction(() => {
      if (!this.#isThere(netfilter, network)) return false
      this.#add(netfilter, network, endpoint, ports)
      return true
    })
    // in tables made from the records it is already
    if (!isOpen) await this.ensure(netfilter, network, signal)
    else this.#followLoopback6(netfilter)
  }

  /** What is refused is refused at the bridge. Throws FailedPrecondition where nftables may not look at it. */
  async #needGuardFor(
    netfilter: NetlinkSocket,
    network: Network,
    endpoint: EndpointRow,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const isConfined = confinedOf(this.#deps.db, endpoint, network) !== undefined
    if (!isConfined && networkPolicy(network).icc) return
    await this.ensure(netfilter, network, signal)
    if (this.#isGuarded(netfilter, network)) return
    throw new FailedPrecondition("nothing can be refused: this kernel does not let nftables look at bridges", {
      ...(isConfined && { field: endpoint.refused === "" ? "egress.allow" : "networkLimits.refuse" }),
      hint: "modprobe nf_tables (CONFIG_NF_TABLES_BRIDGE)",
    })
  }

  /** Empty tables, and then in one transaction all that is on record. The caller holds the lock. */
  async #write(netfilter: NetlinkSocket, file: string): Promise<void> {
    const { db, records, names, netns, runRoot } = this.#deps
    const egress = netns === undefined ? undefined : EGRESS_INTERFACE
    const isGuarded = await this.#apply(tableText(names.table, egress), guardText(names), file)
    await db.whenFree()
    db.transaction(() => {
      records.takeStaleSources()
      const ready = readReady(runRoot)
      const networks = listBridges(db)
      const endpoints = records.list()
      const changes = [
        ...networks.flatMap((network) => networkChanges("add", names.table, network, networks)),
        ...sourceChanges("add", names.table, endpoints),
        ...portChanges("add", names.table, this.#elements(records.ports())),
        ...networks.flatMap((network) =>
          endpoints
            .filter(({ networkId }) => networkId === network.id)
            .flatMap((endpoint) => this.boundChanges("add", endpoint, network)),
        ),
      ]
      // the resolver may have come meanwhile, and led it to itself
      if (ready !== undefined)
        ignoreErrno("EEXIST", () => changeElements(netfilter, resolverChange("add", names.table, ready.port)))
      for (const change of changes)
        if (isGuarded || change.family === "inet") inBatches(change, (batch) => changeElements(netfilter, [batch]))
      const marked = [WHOLE, ...networks, ...(isGuarded ? [] : [UNGUARDED])]
      changeElements(netfilter, networkMarks("add", names.table, marked, { isGuarded }))
    })
    this.#followLoopback6(netfilter)
  }

  /** Leads ::1 to published ports, or no longer: br_netfilter comes and goes with other programs of the host. */
  #followLoopback6(netfilter: NetlinkSocket): void {
    const { table } = this.#deps.names
    const place = { family: "inet" as const, table, set: LOOPBACK6 }
    const key = ipBytes(1n)
    const isWanted = this.#deps.netns !== undefined || isLoopback6Translated()
    if (hasElement(netfilter, { ...place, key }) === isWanted) return
    try {
      changeElements(netfilter, [{ ...place, action: isWanted ? "add" : "delete", elements: [{ key }] }])
    } catch (error) {
      // another process was faster, or the tables are gone
      if (!hasErrno(error, "ENOENT", "EEXIST")) throw error
    }
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

  #add(netfilter: NetlinkSocket, network: Network, endpoint: EndpointRow, ports: readonly PublishedPort[]): void {
    const { records, names } = this.#deps
    const stale = sourceChanges("delete", names.table, records.takeStaleSources())
    const added = [
      ...sourceChanges("add", names.table, [endpoint]),
      ...portChanges("add", names.table, this.#elements(ports)),
      ...this.boundChanges("add", endpoint, network),
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
  close(
    netfilter: NetlinkSocket,
    endpoint: EndpointRow | undefined,
    { ports, bounds }: { ports: readonly PublishedPort[]; bounds: readonly ElementChange[] },
  ): void {
    const { records, names } = this.#deps
    const sources = endpoint === undefined ? [] : [endpoint]
    if (ports.length === 0 && bounds.length === 0) return records.addStaleSources(sources)
    const changes = [
      ...portChanges("delete", names.table, this.#elements(ports)),
      ...sourceChanges("delete", names.table, sources),
      ...bounds,
    ]
    try {
      changeElements(netfilter, changes)
    } catch (error) {
      if (!hasErrno(error, "ENOENT")) throw error
      // one that is missing spoils the whole batch
      this.#deleteEach(netfilter, changes)
    }
  }

  /** What bounds an endpoint that is on record, as changes: for most, none. Asked before `close`, when that is gone. */
  boundChanges(
    action: "add" | "delete",
    endpoint: EndpointRow,
    network = findNetwork(this.#deps.db, endpoint.networkId),
  ): ElementChange[] {
    if (network === undefined) return []
    const { db, names } = this.#deps
    const confined = confinedOf(db, endpoint, network)
    return [
      ...refusalChanges(action, names.table, [endpoint]),
      ...apartChanges(action, names.table, areApart(network) ? [endpoint] : []),
      ...selfChanges(action, names.table, network.options.routed === true ? [endpoint] : []),
      ...(confined === undefined ? [] : confinedChanges(action, names.table, confined)),
    ]
  }

  /** Other bounds for an endpoint: `before` as they are to be deleted, and those on record now, at once. */
  rebound(
    netfilter: NetlinkSocket,
    endpoint: EndpointRow,
    { before, network }: { before: readonly ElementChange[]; network: Network },
  ): void {
    // in tables that are not there they are once these are written
    if (!hasTables(netfilter, this.#deps.names.table, network)) return
    const added = this.boundChanges("add", endpoint, network)
    try {
      changeElements(netfilter, [...before, ...added])
    } catch (error) {
      if (!hasErrno(error, "ENOENT", "EEXIST", "EBUSY")) throw error
      this.#deleteEach(netfilter, [...before, ...added])
      this.#addEach(netfilter, added)
    }
  }

  #deleteEach(netfilter: NetlinkSocket, changes: readonly ElementChange[]): void {
    for (const change of changes)
      for (const { key, keyEnd, isEnd } of change.elements)
        ignoreErrno("ENOENT", () =>
          changeElements(netfilter, [{ ...change, action: "delete", elements: [{ key, keyEnd, isEnd }] }]),
        )
  }

  /** A table of family bridge may be missing (ensure). */
  #addEach(netfilter: NetlinkSocket, changes: readonly ElementChange[]): void {
    for (const change of changes)
      if (change.family === "bridge") ignoreErrno("ENOENT", () => changeElements(netfilter, [change]))
      else changeElements(netfilter, [change])
  }

  /** Rootless the host's address was checked by pasta, and all that arrives is for the tap's. */
  #elements(ports: readonly PublishedPort[]): PortElement[] {
    if (this.#deps.netns === undefined) return [...ports]
    return ports.map((port) => Object.assign({}, port, { hostAddress: "" }))
  }
}

/** A datagram holds some 200 KB. */
const ELEMENTS_PER_BATCH = 1000

function inBatches(change: ElementChange, body: (batch: ElementChange) => void): void {
  for (let first = 0; first < change.elements.length; first += ELEMENTS_PER_BATCH)
    body({ ...change, elements: change.elements.slice(first, first + ELEMENTS_PER_BATCH) })
}
