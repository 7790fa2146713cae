import type { Database } from "../base/database.ts"
import { hasErrno } from "../base/errors.ts"
import { log } from "../base/log.ts"
import type { NetlinkSocket } from "../sys/net/netlink.ts"
import { changeElements, type ElementChange } from "../sys/net/nfnetlink.ts"
import { applyRuleset } from "../sys/net/nft.ts"
import { listNetworks } from "./default-network.ts"
import { hasTables } from "./firewall-check.ts"
import type { KernelNames } from "./names.ts"
import type { Network } from "./network.ts"
import { guardText, portChanges, sourceChanges, tableText, type PortElement, type PublishedPort } from "./nftables.ts"
import type { EndpointRecords, EndpointRow } from "./records.ts"
import { EGRESS_INTERFACE } from "./rootless-addresses.ts"

export interface FirewallDeps {
  db: Database
  names: KernelNames
  records: EndpointRecords
  /** Path of the pause process's network namespace; undefined as real root. */
  netns: string | undefined
}

/**
 * The two tables of a store, made of its records. Every function runs inside a transaction of the records, so that who writes
 * a table anew and who adds an element do not miss each other.
 */
export class Firewall {
  readonly #deps: FirewallDeps

  constructor(deps: FirewallDeps) {
    this.#deps = deps
  }

  /** Writes the tables if one is not there, or not made for this network; true when they were written. Safe to repeat. */
  ensure(netfilter: NetlinkSocket, network: Network): boolean {
    const { db, records, names, netns } = this.#deps
    if (hasTables(netfilter, names.table, network)) return false
    const networks = listNetworks(db)
    const egress = netns === undefined ? undefined : EGRESS_INTERFACE
    const table = (isGuarded: boolean): string =>
      tableText(names.table, networks, this.#elements(records.ports()), { egress, isGuarded })
    records.takeStaleSources()
    const guard = guardText(names, networks, records.list())
    try {
      applyRuleset(table(true) + guard, netns)
    } catch (cause) {
      // a kernel without tables of family bridge; any other fault is in the first table too
      applyRuleset(table(false), netns)
      log.warn("this kernel does not let nftables look at bridges: containers may send with each other's addresses", {
        reason: String(cause),
      })
    }
    return true
  }

  /** Lets the endpoint send, and leads its ports to it. */
  open(netfilter: NetlinkSocket, network: Network, endpoint: EndpointRow, ports: readonly PublishedPort[]): void {
    // in tables made from the records they are already
    if (this.ensure(netfilter, network)) return
    const { records, names } = this.#deps
    const stale = sourceChanges("delete", names.table, records.takeStaleSources())
    const added = [
      ...sourceChanges("add", names.table, [endpoint]),
      ...portChanges("add", names.table, this.#elements(ports)),
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

  /**
   * Takes the ports of an endpoint back, from where it was known by them; and what it may send, if that does not cost a
   * deletion of its own: after one, the end of this process waits for the kernel (16 ms). The next `open` does it for nothing.
   */
  close(netfilter: NetlinkSocket, endpoint: EndpointRow | undefined, ports: readonly PublishedPort[]): void {
    const { records, names } = this.#deps
    const sources = endpoint === undefined ? [] : [endpoint]
    if (ports.length === 0) return records.addStaleSources(sources)
    const changes = [
      ...portChanges("delete", names.table, this.#elements(ports)),
      ...sourceChanges("delete", names.table, sources),
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
      for (const { key } of change.elements)
        unless("ENOENT", () => changeElements(netfilter, [{ ...change, action: "delete", elements: [{ key }] }]))
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
