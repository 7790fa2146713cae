/** Keeps the table of virtual ports as it is wanted: what differs from what the kernel has is added and deleted, in one transaction. */
import { rmSync } from "node:fs"
import { hasErrno, ignoreErrno } from "../../base/errors.ts"
import { formatIpBytes } from "../ipv6.ts"
import type { NetlinkSocket } from "../../sys/net/netlink.ts"
import {
  changeElements,
  hasElement,
  listElements,
  type ElementChange,
  type SetElement,
} from "../../sys/net/nfnetlink.ts"
import { applyRuleset } from "../../sys/net/nft.ts"
import { forgetUdpCallersOf } from "../../sys/net/conntrack.ts"
import { ipBytes } from "../../sys/net/ip-bytes.ts"
import { parseIp } from "../ipv6.ts"
import { nameField } from "../set-fields.ts"
import {
  familyOf,
  freeMark,
  frontElements,
  hairpinElement,
  lotElement,
  lotSet,
  ownerOf,
  tapElements,
  type Numbered,
  type PlacedElement,
} from "./elements.ts"
import { drawing } from "./slots.ts"
import { balanceText, SETS, six, VERSION } from "./tables.ts"
import type { VirtualPort } from "./virtual-port.ts"

const FAMILIES = [4, 6] as const
/** A datagram of messages holds some 200 KB. */
const ELEMENTS_PER_BATCH = 2000

/** Sets whose elements come from virtual ports, lots apart. */
const OWN_SETS = [
  ...FAMILIES.flatMap((family) =>
    [SETS.frontends, SETS.balanced, SETS.nodePorts, SETS.unserved, SETS.hairpin, SETS.bounded, SETS.allowed].map(
      (set) => six(set, family),
    ),
  ),
  SETS.loopback6,
  SETS.unservedPorts,
  SETS.sizes,
  SETS.staying,
  SETS.stays,
  SETS.taps,
  SETS.tapMarks,
]
const LOT_SETS = [SETS.endpoints, six(SETS.endpoints, 6), SETS.choices]

/** Where the table is. */
export interface BalanceTableDeps {
  netfilter: NetlinkSocket
  /** Its name. */
  table: string
  /** Where its text may lie for a moment. */
  file: string
  /** The namespace, where it is not ours. */
  netns: string | undefined
}

interface Applied extends Numbered {
  port: VirtualPort
  front: ReadonlyMap<string, PlacedElement>
}

/** The elements that are to be deleted and added. */
class Changes {
  readonly #deleted = new Map<string, PlacedElement>()
  readonly #added = new Map<string, PlacedElement>()

  delete(set: string, { key, keyEnd }: SetElement): void {
    const placed = { set, element: { key, keyEnd } }
    this.#deleted.set(keyOf(placed), placed)
  }

  add(set: string, element: SetElement): void {
    const placed = { set, element }
    this.#added.set(keyOf(placed), placed)
  }

  get size(): number {
    return this.#deleted.size + this.#added.size
  }

  /** In one transaction, deletions first: what is replaced has its key in both. */
  all(table: string): ElementChange[] {
    return [...listed("delete", table, this.#deleted.values()), ...listed("add", table, this.#added.values())]
  }

  /** Where one transaction cannot hold them: lots that nobody draws yet, then what leads to them, then those that nobody draws any more. */
  inSteps(table: string): ElementChange[][] {
    const [fresh, stale] = [lotsOnlyIn(this.#added, this.#deleted), lotsOnlyIn(this.#deleted, this.#added)]
    return [
      ...batches(listed("add", table, fresh)),
      [...listed("delete", table, without(this.#deleted, stale)), ...listed("add", table, without(this.#added, fresh))],
      ...batches(listed("delete", table, stale)),
    ]
  }
}

const isLot = ({ set }: PlacedElement): boolean => LOT_SETS.includes(set)

/** Lots that are in the one and not in the other. */
function lotsOnlyIn(
  some: ReadonlyMap<string, PlacedElement>,
  others: ReadonlyMap<string, PlacedElement>,
): PlacedElement[] {
  return [...some].flatMap(([key, placed]) => (isLot(placed) && !others.has(key) ? [placed] : []))
}

function without(some: ReadonlyMap<string, PlacedElement>, left: readonly PlacedElement[]): PlacedElement[] {
  const out = new Set(left)
  return [...some.values()].filter((placed) => !out.has(placed))
}

function listed(action: "add" | "delete", table: string, placed: Iterable<PlacedElement>): ElementChange[] {
  const lists = new Map<string, SetElement[]>()
  for (const { set, element } of placed) {
    const list = lists.get(set)
    if (list === undefined) lists.set(set, [element])
    else list.push(element)
  }
  return [...lists].map(([set, elements]) => ({ action, family: "inet", table, set, elements }))
}

function batches(changes: readonly ElementChange[]): ElementChange[][] {
  return changes.flatMap((change) =>
    Array.from({ length: Math.ceil(change.elements.length / ELEMENTS_PER_BATCH) }, (_, index) => [
      { ...change, elements: change.elements.slice(index * ELEMENTS_PER_BATCH, (index + 1) * ELEMENTS_PER_BATCH) },
    ]),
  )
}

/** The table of one network. One process at a time keeps it. */
export class BalanceTable {
  readonly #deps: BalanceTableDeps
  #applied = new Map<string, Applied>()
  #hairpins = new Map<string, number>()
  #serviceMarks = new Map<number, string>()
  #endpointMarks = new Map<number, string>()
  #taps: readonly PlacedElement[] = []
  /** Of what is asked for: who was first has it, should two be told the same. */
  #claims = new Map<string, string>()

  constructor(deps: BalanceTableDeps) {
    this.#deps = deps
  }

  /** Whether the table is there, and of this version. */
  isThere(): boolean {
    const { netfilter, table } = this.#deps
    return hasElement(netfilter, { family: "inet", table, set: SETS.version, key: nameField(VERSION) })
  }

  /**
   * `place`: the network's bridge, and the ranges of addresses that are nobody's interface; once there, they stay. `more`: of sets that change with
   * the host.
   */
  async replace(
    ports: readonly VirtualPort[],
    place: readonly PlacedElement[],
    more: readonly PlacedElement[],
  ): Promise<void> {
    const { netfilter, table, file, netns } = this.#deps
    const wasThere = this.isThere()
    if (!wasThere)
      try {
        await applyRuleset(balanceText(table), file, netns)
      } finally {
        rmSync(file, { force: true })
      }
    const kernel = wasThere ? this.#read() : { lots: new Map<string, Map<string, SetElement>>(), owners: new Map() }
    this.#applied = new Map()
    this.#hairpins = new Map()
    this.#serviceMarks = new Map()
    this.#endpointMarks = new Map()
    this.#claims = new Map()
    const wanted = new Map<string, PlacedElement>()
    for (const port of ports) {
      const applied = this.#number(port, kernel.owners)
      this.#applied.set(port.key, applied)
      for (const [key, placed] of applied.front) wanted.set(key, placed)
      for (const family of FAMILIES)
        applied.lots[family].forEach((owner, lot) => {
          const placed = { set: lotSet(port, family), element: lotElement(port, family, applied, lot, owner) }
          wanted.set(keyOf(placed), placed)
        })
      for (const { address } of port.endpoints) this.#countHairpin(address, 1)
    }
    for (const address of this.#hairpins.keys()) {
      const placed = hairpinElement(address)
      wanted.set(keyOf(placed), placed)
    }
    for (const placed of [...this.#taps, ...more]) wanted.set(keyOf(placed), placed)
    const changes = new Changes()
    for (const [set, elements] of kernel.lots)
      for (const element of elements.values()) {
        const placed = { set, element }
        const other = wanted.get(keyOf(placed))
        if (other !== undefined && isSame(other.element, element)) wanted.delete(keyOf(placed))
        else changes.delete(set, element)
      }
    for (const { set, element } of wanted.values()) changes.add(set, element)
    if (!wasThere) {
      for (const { set, element } of place) changes.add(set, element)
      // last, of all: what is whole is known by it
      this.#commit(changes, [this.#versionChange()])
    } else this.#commit(changes)
    if (wasThere) this.#forgetStale(netfilter, ports)
  }

  /** By which interfaces callers of this host arrive, each with its mark. Throws ENOENT. */
  setTaps(taps: readonly { interface: string; mark: number }[]): void {
    const next = taps.flatMap((tap) => tapElements(tap.interface, tap.mark))
    const [before, after] = [this.#taps, next].map((list) => new Map(list.map((placed) => [keyOf(placed), placed])))
    const changes = new Changes()
    for (const [key, { set, element }] of before ?? []) if (!after?.has(key)) changes.delete(set, element)
    for (const [key, { set, element }] of after ?? []) if (!before?.has(key)) changes.add(set, element)
    this.#taps = next
    this.#commit(changes)
  }

  /** Throws ENOENT where the table is gone: `replace` makes it anew. */
  change(set: readonly VirtualPort[], remove: readonly string[]): void {
    const changes = new Changes()
    const before = new Map(this.#applied)
    /** Whether an address had an element before. */
    const touched = new Map<string, boolean>()
    const count = (port: VirtualPort, by: 1 | -1): void => {
      for (const { address } of port.endpoints) {
        if (!touched.has(address)) touched.set(address, this.#hairpins.has(address))
        this.#countHairpin(address, by)
      }
    }
    for (const key of [...remove, ...set.map((port) => port.key)]) {
      const old = this.#applied.get(key)
      if (old !== undefined) count(old.port, -1)
    }
    for (const { key } of set) this.#release(before.get(key))
    for (const key of remove) this.#release(before.get(key))
    const stayed = new Set<number>()
    for (const key of remove) {
      const old = this.#applied.get(key)
      if (old === undefined) continue
      this.#applied.delete(key)
      this.#difference(changes, old, undefined)
      this.#freeMarks(old, undefined, stayed)
    }
    for (const port of set) {
      const old = this.#applied.get(port.key)
      const next = this.#number(port, new Map(), old)
      this.#applied.set(port.key, next)
      this.#difference(changes, old, next)
      if (old !== undefined) this.#freeMarks(old, next, stayed)
      count(port, 1)
    }
    for (const [address, had] of touched) {
      const has = this.#hairpins.has(address)
      const { set: name, element } = hairpinElement(address)
      if (has !== had) changes[has ? "add" : "delete"](name, element)
    }
    this.#commit(changes)
    this.#forgetStayed(stayed)
    const gone = [...remove, ...set.map(({ key }) => key)].flatMap((key) => before.get(key) ?? [])
    this.#forgetStale(
      this.#deps.netfilter,
      set.filter(({ key }) => gone.some(({ port }) => port.key === key)),
    )
  }

  #freeMarks(old: Applied, next: Applied | undefined, stayed: Set<number>): void {
    for (const family of FAMILIES)
      if (next?.marks[family] !== old.marks[family]) this.#serviceMarks.delete(old.marks[family])
    if (old.port.staySeconds === undefined) return
    const left = new Set(next?.port.staySeconds === undefined ? [] : next.lots[4])
    for (const owner of new Set(old.lots[4])) {
      if (left.has(owner)) continue
      const mark = old.markOf(owner)
      stayed.add(mark)
      this.#endpointMarks.delete(mark)
    }
  }

  /** Who stayed with an endpoint that is gone would be led nowhere. */
  #forgetStayed(marks: ReadonlySet<number>): void {
    if (marks.size === 0) return
    const { netfilter, table } = this.#deps
    const place = { family: "inet" as const, table, set: SETS.sticky }
    const stale = listElements(netfilter, place).filter(({ data }) => marks.has(wordAt(data, 0)))
    for (const { key } of stale)
      ignoreErrno("ENOENT", () => changeElements(netfilter, [{ ...place, action: "delete", elements: [{ key }] }]))
  }

  #release(old: Applied | undefined): void {
    for (const key of old?.front.keys() ?? []) if (this.#claims.get(key) === old?.port.key) this.#claims.delete(key)
  }

  #countHairpin(address: string, by: 1 | -1): void {
    const count = (this.#hairpins.get(address) ?? 0) + by
    if (count > 0) this.#hairpins.set(address, count)
    else this.#hairpins.delete(address)
  }

  /** Numbers of a port, with the lots as they were as far as that can be. */
  #number(port: VirtualPort, owners: ReadonlyMap<string, readonly string[]>, old?: Applied): Applied {
    const newMark = (family: 4 | 6, more = ""): number => {
      const text = `${port.key} ${family}${more}`
      const number = freeMark("service", text, this.#serviceMarks)
      this.#serviceMarks.set(number, text)
      return number
    }
    const marks = { 4: old?.marks[4] ?? newMark(4), 6: old?.marks[6] ?? newMark(6) }
    const lots = (family: 4 | 6): string[] => {
      const known = old === undefined ? owners.get(`${lotSet(port, family)} ${marks[family]}`) : old.lots[family]
      const own = port.endpoints.filter(({ address }) => familyOf(address) === family).map(ownerOf)
      // of IPv6 the lot is made of the caller's address, and stays with him
      const isStable = port.staySeconds !== undefined && family === 6
      const next = drawing(known ?? [], [...new Set(own)], { isStable })
      // all lots are others: so many are made beside the old ones, under another number
      if (old !== undefined && next.length !== old.lots[family].length && next.length > ELEMENTS_PER_BATCH / 2)
        marks[family] = newMark(family, ` of ${next.length}`)
      return next
    }
    const markOf = (owner: string): number => {
      const text = `${port.key} ${owner}`
      const number = freeMark("endpoint", text, this.#endpointMarks)
      this.#endpointMarks.set(number, text)
      return number
    }
    const numbered = { marks, lots: { 4: lots(4), 6: lots(6) }, markOf }
    const front = new Map(
      frontElements(port, numbered).flatMap((placed) => {
        const key = keyOf(placed)
        if ((this.#claims.get(key) ?? port.key) !== port.key) return []
        this.#claims.set(key, port.key)
        return [[key, placed] as const]
      }),
    )
    return { ...numbered, port, front }
  }

  #difference(changes: Changes, old: Applied | undefined, next: Applied | undefined): void {
    for (const [key, { set, element }] of old?.front ?? []) {
      const other = next?.front.get(key)
      if (other === undefined || !isSame(other.element, element)) changes.delete(set, element)
    }
    for (const [key, { set, element }] of next?.front ?? []) {
      const other = old?.front.get(key)
      if (other === undefined || !isSame(other.element, element)) changes.add(set, element)
    }
    for (const family of FAMILIES) {
      const [from, to] = [old?.lots[family] ?? [], next?.lots[family] ?? []]
      const isOtherSet =
        old !== undefined &&
        next !== undefined &&
        (lotSet(old.port, family) !== lotSet(next.port, family) || old.marks[family] !== next.marks[family])
      for (let lot = 0; lot < Math.max(from.length, to.length); lot++) {
        const [was, is] = [from[lot], to[lot]]
        if (was === is && !isOtherSet) continue
        if (old !== undefined && was !== undefined)
          changes.delete(lotSet(old.port, family), { key: lotElement(old.port, family, old, lot, was).key })
        if (next !== undefined && is !== undefined)
          changes.add(lotSet(next.port, family), lotElement(next.port, family, next, lot, is))
      }
    }
  }

  #commit(changes: Changes, last: readonly ElementChange[] = []): void {
    const { netfilter, table } = this.#deps
    const isOne = changes.size <= ELEMENTS_PER_BATCH
    for (const step of isOne ? [[...changes.all(table), ...last]] : [...changes.inSteps(table), [...last]])
      changeElements(netfilter, step)
  }

  #versionChange(): ElementChange {
    const { table } = this.#deps
    return { action: "add", family: "inet", table, set: SETS.version, elements: [{ key: nameField(VERSION) }] }
  }

  /** What the kernel has of all that ports are made of, and whose lots are which there. */
  #read(): { lots: Map<string, Map<string, SetElement>>; owners: Map<string, string[]> } {
    const { netfilter, table } = this.#deps
    const lots = new Map<string, Map<string, SetElement>>()
    for (const set of [...OWN_SETS, ...LOT_SETS]) {
      const elements = listElements(netfilter, { family: "inet", table, set })
      lots.set(set, new Map(elements.map((element) => [keyOf({ set, element }), element])))
    }
    const staying = new Map(
      [...(lots.get(SETS.staying)?.values() ?? [])].map(({ key, data }) => [wordAt(key, 0), ownerText(data)]),
    )
    const owners = new Map<string, string[]>()
    for (const set of LOT_SETS)
      for (const { key, data } of lots.get(set)?.values() ?? []) {
        const place = `${set} ${wordAt(key, 0)}`
        const list = owners.get(place) ?? []
        owners.set(place, list)
        list[wordAt(key, 4)] = set === SETS.choices ? (staying.get(wordAt(data, 0)) ?? "") : ownerText(data)
      }
    return { lots, owners }
  }

  /** Callers of UDP never end: those of an endpoint that is gone are led to another one from their next word on. */
  #forgetStale(netfilter: NetlinkSocket, ports: readonly VirtualPort[]): void {
    const udp = ports.filter(({ protocol }) => protocol === "udp")
    if (udp.length === 0) return
    for (const family of FAMILIES) {
      const asked = udp.map(({ port, nodePort, addresses, balanced, endpoints }) => ({
        port,
        nodePort,
        addresses: [...addresses, ...balanced].filter((one) => familyOf(one) === family).map(bytesOf),
        live: endpoints.filter(({ address }) => familyOf(address) === family).map(({ address }) => bytesOf(address)),
      }))
      try {
        forgetUdpCallersOf(netfilter, family, asked)
      } catch (error) {
        // a kernel without connection tracking by netlink, or one without IPv6
        if (!hasErrno(error, "EOPNOTSUPP", "EINVAL", "EAFNOSUPPORT", "ENOENT")) throw error
      }
    }
  }
}

const bytesOf = (address: string): Uint8Array => ipBytes(parseIp(address))

function keyOf({ set, element }: PlacedElement): string {
  const { key, keyEnd } = element
  return `${set} ${hexOf(key)}${keyEnd === undefined ? "" : `-${hexOf(keyEnd)}`}`
}

function isSame(one: SetElement, other: SetElement): boolean {
  return valueOf(one) === valueOf(other)
}

function valueOf({ data, verdict }: SetElement): string {
  return `${data === undefined ? "" : hexOf(data)} ${verdict?.chain ?? ""}`
}

const hexOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1")

/** A number of the host's byte order. */
function wordAt(bytes: Uint8Array | undefined, at: number): number {
  if (bytes === undefined || bytes.length < at + 4) return -1
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true)
}

function ownerText(data: Uint8Array | undefined): string {
  if (data === undefined || data.length < 8) return ""
  const length = data.length >= 20 ? 16 : 4
  const port = (data[length] ?? 0) * 256 + (data[length + 1] ?? 0)
  return `${formatIpBytes(data.subarray(0, length))} ${port}`
}
