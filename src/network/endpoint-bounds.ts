/**
 * Where endpoints of bridges may send: what is refused, and what alone is allowed. It is written down first, and the firewall
 * is made of what is written down.
 */
import type { Database } from "../base/database.ts"
import { FailedPrecondition } from "../base/errors.ts"
import { formatEgressRule, type EgressRule } from "../spec/docker/egress-rule.ts"
import type { Refusal } from "../spec/docker/refusal.ts"
import type { NetlinkSocket } from "../sys/net/netlink.ts"
import { hasResolver, isDefaultBridge } from "./dns/has-resolver.ts"
import { EgressRecords } from "./egress/records.ts"
import { haveNames, parseRules, rulesText } from "./egress/rules.ts"
import type { Firewall } from "./firewall.ts"
import type { Network } from "./network.ts"
import type { EndpointRecords, EndpointRow } from "./records.ts"
import { refusalText } from "./refusals.ts"

/** What bounds are written to. */
export interface EndpointBoundsDeps {
  db: Database
  records: EndpointRecords
  firewall: Firewall
  /** What containers send leaves by pasta, and by no interface that the kernel could tell. */
  byPasta: boolean
}

/** The bounds of the endpoints of one store. */
export class EndpointBounds {
  readonly #db: Database
  readonly #records: EndpointRecords
  readonly #firewall: Firewall
  readonly #byPasta: boolean

  constructor({ db, records, firewall, byPasta }: EndpointBoundsDeps) {
    this.#db = db
    this.#records = records
    this.#firewall = firewall
    this.#byPasta = byPasta
  }

  /** Refuses destinations to it. Throws FailedPrecondition where what it sends leaves by pasta and an interface is named. */
  refuse(row: EndpointRow, refuse: readonly Refusal[] = []): EndpointRow {
    if (refuse.length === 0) return row
    if (this.#byPasta && refuse.some(({ kind }) => kind === "interface"))
      throw new FailedPrecondition("an interface of the host cannot be refused: pasta carries what containers send", {
        field: "networkLimits.refuse",
        hint: "refuse the addresses behind it, or run it as root with the kernel's uplink",
      })
    return this.#db.transaction(() => this.#records.refuse(row, refusalText(refuse)))
  }

  /**
   * Allows nothing but `allow`; undefined: everything. `isNew`: it has not yet been told whom to ask for names. Throws
   * FailedPrecondition for names that nobody answers there.
   */
  allow(
    network: Network,
    { containerId, networkId }: EndpointRow,
    { allow, isNew }: { allow: readonly EgressRule[] | undefined; isNew: boolean },
  ): void {
    const records = new EgressRecords(this.#db)
    const before = records.rules(containerId, networkId)
    const canAsk = isDefaultBridge(network) && (isNew || (before !== undefined && haveNames(parseRules(before))))
    const named = allow?.find(({ to }) => to.kind === "name")
    if (named !== undefined && !hasResolver(network) && !canAsk)
      throw new FailedPrecondition(
        `traffic to "${formatEgressRule(named)}" cannot be allowed on network "${network.name}"`,
        {
          field: "egress.allow",
          hint: isDefaultBridge(network)
            ? "it asks other name servers: allow names from its create on, or put it on a network that you made"
            : "no names are answered there: allow addresses, or use another network",
        },
      )
    const rules = allow === undefined ? undefined : rulesText(allow)
    if (before !== rules) records.setRules(containerId, networkId, rules)
  }

  /** Allows an endpoint something else from now on. Throws FailedPrecondition for one that is not on the network. */
  async change(
    netfilter: NetlinkSocket,
    network: Network,
    containerId: string,
    allow: readonly EgressRule[] | undefined,
  ): Promise<void> {
    await this.#db.whenFree()
    this.#db.transaction(() => {
      const row = this.#records.get(containerId, network.id)
      if (row === undefined) throw notThere(network, containerId)
      const before = this.#firewall.boundChanges("delete", row, network)
      this.allow(network, row, { allow, isNew: false })
      this.#firewall.rebound(netfilter, row, { before, network })
    })
  }

  /** Bounds all endpoints of a network as it says now; `before`: what it said. Safe to repeat. */
  async rebound(netfilter: NetlinkSocket, before: Network, network: Network): Promise<void> {
    await this.#db.whenFree()
    this.#db.transaction(() => {
      for (const row of this.#records.list().filter(({ networkId }) => networkId === network.id)) {
        const changes = this.#firewall.boundChanges("delete", row, before)
        this.#firewall.rebound(netfilter, row, { before: changes, network })
      }
    })
  }
}

/** A container is asked about that is not on the network. */
export function notThere({ name }: Network, containerId: string): FailedPrecondition {
  return new FailedPrecondition(`the container is not on network "${name}"`, { data: { containerId } })
}
