import { hasErrno } from "../../base/errors.ts"
import type { NetlinkSocket } from "../../sys/net/netlink.ts"
import { hasTable, listElements, type SetElement } from "../../sys/net/nfnetlink.ts"
import { readReady } from "../dns/ready-file.ts"
import { formatIpBytes } from "../ipv6.ts"
import type { KernelNames } from "../names.ts"
import { balanceTable, policyTable } from "./remove.ts"
import { SETS, six } from "./tables.ts"

/** A place that callers ask, as the kernel leads them on. */
export interface ObservedFrontend {
  /** Empty: every address of this host. */
  address: string
  protocol: string
  port: number
  /** Its number in the maps: a connection's mark for the moment of the choice. `0x5b000001`. */
  mark: string
  /** How many lots are drawn. */
  lots: number
  /** Callers stay with whom they got first. */
  isSticky: boolean
  endpoints: readonly { address: string; port: number; lots: number }[]
}

/** What the kernel has of virtual ports and policies. Changes nothing. */
export interface ObservedVirtual {
  table: string
  policyTable: string
  /** Where the resolver listens; undefined: it does not. */
  resolverPort?: number
  frontends: readonly ObservedFrontend[]
  /** What is refused at once: nobody is behind it. */
  unserved: readonly { address: string; protocol: string; port: number }[]
  /** Members that may not receive, or send, everything; those that are known. Undefined: there is no policy. */
  policies?: { receive: number; send: number; known: number }
}

const PROTOCOLS: Readonly<Record<number, string>> = { 6: "tcp", 17: "udp", 132: "sctp" }
const FAMILIES = [4, 6] as const

/** Reads all of it. */
export function observeVirtual(netfilter: NetlinkSocket, names: KernelNames, runRoot: string): ObservedVirtual {
  const [table, policies] = [balanceTable(names), policyTable(names)]
  const of = (set: string, from = table): SetElement[] => {
    try {
      return listElements(netfilter, { family: "inet", table: from, set })
    } catch (error) {
      if (hasErrno(error, "ENOENT")) return []
      throw error
    }
  }
  const drawings = new Map(of(SETS.sizes).map(({ key, verdict }) => [wordAt(key, 0), verdict?.chain ?? ""]))
  const staying = new Map(of(SETS.staying).map(({ key, data }) => [wordAt(key, 0), data]))
  const lots = new Map<number, Map<string, { address: string; port: number; lots: number }>>()
  const count = (mark: number, data: Uint8Array | undefined): void => {
    if (data === undefined) return
    const place = placeOf(data)
    const own = lots.get(mark) ?? new Map()
    lots.set(mark, own)
    const key = `${place.address} ${place.port}`
    own.set(key, { ...place, lots: (own.get(key)?.lots ?? 0) + 1 })
  }
  for (const family of FAMILIES)
    for (const { key, data } of of(six(SETS.endpoints, family))) count(wordAt(key, 0), data)
  for (const { key, data } of of(SETS.choices)) count(wordAt(key, 0), data && staying.get(wordAt(data, 0)))

  const frontends: ObservedFrontend[] = []
  for (const family of FAMILIES)
    for (const set of [SETS.frontends, SETS.balanced, SETS.nodePorts])
      for (const { key, data } of of(six(set, family))) {
        const mark = wordAt(data ?? new Uint8Array(4), 0)
        const [, kind = "", size = "0"] = /^(draw|stay)_(\d+)$/.exec(drawings.get(mark) ?? "") ?? []
        frontends.push({
          ...askedOf(key, set !== SETS.nodePorts),
          mark: `0x${mark.toString(16)}`,
          lots: Number(size),
          isSticky: kind === "stay",
          endpoints: [...(lots.get(mark)?.values() ?? [])],
        })
      }
  const hasPolicies = hasTable(netfilter, "inet", policies)
  const ready = readReady(runRoot)
  return {
    table,
    policyTable: policies,
    ...(ready !== undefined && { resolverPort: ready.port }),
    frontends,
    unserved: [
      ...FAMILIES.flatMap((family) => of(six(SETS.unserved, family)).map(({ key }) => askedOf(key, true))),
      ...of(SETS.unservedPorts).map(({ key }) => askedOf(key, false)),
    ],
    ...(hasPolicies && {
      policies: {
        receive: of("receive4", policies).length,
        send: of("send4", policies).length,
        known: of("known4", policies).length,
      },
    }),
  }
}

function askedOf(key: Uint8Array, hasAddress: boolean): { address: string; protocol: string; port: number } {
  const rest = key.length - 8
  return {
    address: hasAddress ? formatIpBytes(key.subarray(0, rest)) : "",
    protocol: PROTOCOLS[key[rest] ?? 0] ?? `${key[rest]}`,
    port: (key[rest + 4] ?? 0) * 256 + (key[rest + 5] ?? 0),
  }
}

function placeOf(data: Uint8Array): { address: string; port: number } {
  const length = data.length >= 20 ? 16 : 4
  return {
    address: formatIpBytes(data.subarray(0, length)),
    port: (data[length] ?? 0) * 256 + (data[length + 1] ?? 0),
  }
}

/** Of the host's byte order. */
function wordAt(bytes: Uint8Array, at: number): number {
  return bytes.length < at + 4 ? -1 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true)
}
