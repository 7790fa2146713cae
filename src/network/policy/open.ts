import { rmSync } from "node:fs"
import { hasErrno, ignoreErrno } from "../../base/errors.ts"
import type { NetlinkSocket } from "../../sys/net/netlink.ts"
import { changeElements, deleteTable, hasTable, type ElementChange, type SetElement } from "../../sys/net/nfnetlink.ts"
import { applyRuleset } from "../../sys/net/nft.ts"
import { policyTable as policyTableName } from "../balance/remove.ts"
import type { HostSide } from "../host-side.ts"
import type { KernelNames } from "../names.ts"
import type { Network } from "../network.ts"
import { policyTable, type PolicyTable } from "./rules.ts"
import type { TrafficPolicies } from "./traffic-policy.ts"

/** What policies stand on. */
export interface OpenTrafficPoliciesDeps {
  host: HostSide
  names: KernelNames
  runRoot: string
  network: Network
}

/** The policies of one network. Chains are written by nft(8) when policies change, members come and go as elements. */
export function openTrafficPolicies({ host, names, runRoot, network }: OpenTrafficPoliciesDeps): TrafficPolicies {
  const table = policyTableName(names)
  const { bridge, subnet, subnet6, gateway } = network
  const place = { table, bridge, subnet, subnet6, resolver: gateway }
  let applied: PolicyTable | undefined
  const isThere = (netfilter: NetlinkSocket): boolean => hasTable(netfilter, "inet", table)

  return {
    async apply(policies, known) {
      const { netfilter } = await host.sockets()
      if (policies.length === 0) {
        ignoreErrno("ENOENT", () => deleteTable(netfilter, "inet", table))
        applied = undefined
        return
      }
      const wanted = policyTable(place, policies, known)
      if (applied?.text === wanted.text && isThere(netfilter))
        try {
          change(netfilter, table, applied, wanted)
          applied = wanted
          return
        } catch (error) {
          // what another has changed of it: all is written anew
          if (!hasErrno(error, "ENOENT", "EEXIST")) throw error
        }
      applied = undefined
      const file = `${runRoot}/policy.nft`
      try {
        await applyRuleset(withElements(wanted, table), file, host.netns)
      } finally {
        rmSync(file, { force: true })
      }
      applied = wanted
    },
    async isThere() {
      const { netfilter } = await host.sockets()
      return applied === undefined || isThere(netfilter)
    },
  }
}

/** In one transaction. */
function change(netfilter: NetlinkSocket, table: string, before: PolicyTable, after: PolicyTable): void {
  const list = (action: "add" | "delete", from: PolicyTable, other: PolicyTable): ElementChange[] =>
    [...from.elements].flatMap(([set, elements]) => {
      const there = other.elements.get(set)
      const own = [...elements].filter(([key, element]) => valueOf(there?.get(key)) !== valueOf(element))
      if (own.length === 0) return []
      const changed = own.map(([, element]) => (action === "add" ? element : { key: element.key }))
      return [{ action, family: "inet" as const, table, set, elements: changed }]
    })
  changeElements(netfilter, [...list("delete", before, after), ...list("add", after, before)])
}

function valueOf(element: SetElement | undefined): string | undefined {
  return element && `: ${element.verdict?.chain ?? ""}`
}

/** The whole table in one transaction: while it is exchanged, one of both holds. */
function withElements({ text, elements }: PolicyTable, table: string): string {
  const lines = [...elements].flatMap(([set, own]) =>
    own.size === 0 ? [] : [`add element inet ${table} ${set} { ${[...own.values()].map(elementText).join(", ")} }`],
  )
  return `${text}${lines.join("\n")}\n`
}

function elementText({ key, verdict }: SetElement): string {
  const words = keyText(key)
  return verdict === undefined ? words : `${words} : ${verdict.kind} ${verdict.chain}`
}

/** By its length: an address, two, or an address with protocol and port. */
function keyText(key: Uint8Array): string {
  const address = (from: number, length: number): string => {
    const bytes = key.subarray(from, from + length)
    if (length === 4) return bytes.join(".")
    return Array.from({ length: 8 }, (_, index) =>
      ((bytes[2 * index] ?? 0) * 256 + (bytes[2 * index + 1] ?? 0)).toString(16),
    ).join(":")
  }
  switch (key.length) {
    case 4:
    case 16:
      return address(0, key.length)
    case 8:
    case 32:
      return `${address(0, key.length / 2)} . ${address(key.length / 2, key.length / 2)}`
    default: {
      const length = key.length - 8
      return `${address(0, length)} . ${key[length] ?? 0} . ${(key[length + 4] ?? 0) * 256 + (key[length + 5] ?? 0)}`
    }
  }
}
