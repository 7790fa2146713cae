/**
 * Names in rules of egress: the addresses that the resolver hears for one are let through before who asked is told of them, for as long as
 * the answer holds. Whoever is confined is answered for no other name outside: a question is a way out too.
 */
import type { Database } from "../../base/database.ts"
import { hasErrno, ignoreErrno } from "../../base/errors.ts"
import { NOWHERE } from "../../spec/docker/egress-rule.ts"
import type { NetlinkSocket } from "../../sys/net/netlink.ts"
import { changeElements, type ElementChange } from "../../sys/net/nfnetlink.ts"
import type { HeardAnswer, NamedEgress } from "../dns/heard.ts"
import { EndpointRecords, type EndpointRow } from "../records.ts"
import { confinedOf, heardAddresses } from "./confined.ts"
import { heardChanges, type Confined, type HeardAddress } from "./elements.ts"
import { EgressRecords } from "./records.ts"
import { isNamed, parseRules } from "./rules.ts"
import { LEVELS, type EgressLevel } from "./tables.ts"

/** What names stand on. */
export interface EgressNamesDeps {
  db: Database
  netfilter: NetlinkSocket
  table: string
}

/** A program may go on with what it was told; answers of some seconds would cut it off. */
const SHORTEST_MS = 60_000
const LONGEST_MS = 86_400_000
/** Of one endpoint: by a rule for `*.example.org`, whoever answers for that may make up names without end. */
const MOST_HEARD = 1024
/** Of one answer. */
const MOST_ADDRESSES = 32

/** What the resolver asks and tells. */
export class EgressNames implements NamedEgress {
  readonly #deps: EgressNamesDeps
  readonly #known = new Map<string, (Confined & { networkId: string })[]>()
  #version: number | undefined

  constructor(deps: EgressNamesDeps) {
    this.#deps = deps
  }

  /** Whether a container may ask the world for a name, which is in lower case: by one of its networks, it is enough. */
  mayAsk(containerId: string, name: string): boolean {
    const endpoints = this.#endpoints(containerId)
    return endpoints.some((confined) =>
      LEVELS.every((level) => confined.rules[level] === undefined || isRuled(confined, level, name)),
    )
  }

  /** Lets through what a name's answer said, before it is passed on: by whichever network it is reached. */
  hear({ containerId, name, addresses }: HeardAnswer): void {
    const { db } = this.#deps
    const ruled = this.#endpoints(containerId).filter((one) => LEVELS.some((level) => isRuled(one, level, name)))
    if (ruled.length === 0) return
    const now = Date.now()
    db.transaction(() => {
      const records = new EgressRecords(db)
      for (const confined of ruled) {
        const { networkId } = confined
        if (!records.hasEndpoint(containerId, networkId)) continue
        for (const { address, ttlSeconds } of addresses.slice(0, MOST_ADDRESSES)) {
          const lastingMs = Math.min(Math.max(ttlSeconds * 1000, SHORTEST_MS), LONGEST_MS)
          const row = { name, address, expiresAt: now + lastingMs }
          this.#change(confined, { containerId, networkId, address, now }, () =>
            records.addHeard(containerId, networkId, row, now),
          )
        }
        // what would lapse first makes room
        for (const over of records.heardBeyond(containerId, networkId, MOST_HEARD))
          this.#change(confined, { containerId, networkId, address: over.address, now }, () =>
            records.removeHeard(containerId, networkId, over),
          )
      }
    })
  }

  /** What `body` changes in the records of one address, in the kernel too. */
  #change(
    confined: Confined,
    { containerId, networkId, address, now }: { containerId: string; networkId: string; address: string; now: number },
    body: () => void,
  ): void {
    const records = new EgressRecords(this.#deps.db)
    const heard = (): HeardAddress[] => heardAddresses(records.heard(containerId, networkId, now, address), now)
    const before = heard()
    body()
    this.#replace(confined, before, heard())
  }

  /** Several names may have one address: what they allow together takes the place of what fewer did. */
  #replace(confined: Confined, before: readonly HeardAddress[], after: readonly HeardAddress[]): void {
    const { netfilter, table } = this.#deps
    const changes = (action: "add" | "delete", heard: readonly HeardAddress[]): ElementChange[] =>
      LEVELS.flatMap((level) => heardChanges(action, table, confined, level, heard))
    const added = changes("add", after)
    try {
      changeElements(netfilter, [...changes("delete", before), ...added])
    } catch (error) {
      // one that lapsed in this moment, or that a killed resolver left
      if (!hasErrno(error, "ENOENT", "EEXIST", "ENOTEMPTY")) throw error
      for (const change of [...changes("delete", before), ...changes("delete", after)])
        for (const { key, keyEnd } of change.elements)
          ignoreErrno("ENOENT", () => changeElements(netfilter, [{ ...change, elements: [{ key, keyEnd }] }]))
      // without the tables the records say it to who writes them
      ignoreErrno("ENOENT", () => changeElements(netfilter, added))
    }
  }

  /** Read once, until another process has changed the records: each answer of the resolver asks. */
  #endpoints(containerId: string): (Confined & { networkId: string })[] {
    const { db } = this.#deps
    const version = db.get<{ data_version: number }>("PRAGMA data_version")?.data_version
    if (version !== this.#version) this.#known.clear()
    this.#version = version
    const known = this.#known.get(containerId)
    if (known !== undefined) return known
    const rows = new EndpointRecords(db).of(containerId)
    const found = rows.map((row) => Object.assign(confinedOf(db, row) ?? unconfined(row), { networkId: row.networkId }))
    this.#known.set(containerId, found)
    return found
  }
}

/** Sends where it likes. */
function unconfined({ hostInterface }: EndpointRow): Confined {
  return { hostInterface, bridgeMac: new Uint8Array(6), rules: {}, resolvers: [], heard: [] }
}

function isRuled({ rules }: Confined, level: EgressLevel, name: string): boolean {
  return parseRules(rules[level] ?? NOWHERE).some(({ to }) => to.kind === "name" && isNamed(name, to.name))
}
