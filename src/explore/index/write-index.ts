import { writeSync } from "node:fs"
import { TimeSlice } from "../../base/time-slice.ts"
import { countPassed } from "../../sys/process/free-memory.ts"
import { COLD, free, type Columns, type Strings } from "./columns.ts"
import { AT, FLAG, HEAD, HEAD_BYTES, MAGIC, RECORD_BYTES, TYPES, type Extra } from "./format.ts"
import type { LayerIndexer } from "./layer-indexer.ts"

const HARD_LINK = TYPES.indexOf("hardlink")
const CHUNK_RECORDS = 8192
const CHUNK_BYTES = 1 << 20
/** Of each piece of records, about: small things that the engine would gather for long, as it thinks of the columns as its heap. */
const CHUNK_GARBAGE_BYTES = 2 * 1024 ** 2

/** Writes what was read of a layer as its index; the layer's columns are used up by that. Throws what write(2) does, and the signal's reason. */
export async function writeIndex(fd: number, layer: LayerIndexer, signal?: AbortSignal): Promise<void> {
  const slice = new TimeSlice(signal)
  const { columns, strings } = layer
  // nodes breadth first: the place in it is the record's number
  const { order, count } = sortNames(columns, strings)
  await slice.giveWay()
  linkDigests(layer, order, count)
  const usedBytes = await writeTexts(fd, layer, { order, count }, slice)
  // of all that is in memory the most, with the columns
  strings[Symbol.dispose]()
  const leafBytes = sumUp(columns, order, count)
  await slice.giveWay()
  const records = Buffer.alloc(CHUNK_RECORDS * RECORD_BYTES)
  // directories come in the order in which what is in them does
  let [children, parent, parentsLeft] = [1, 0, 0]
  for (let start = 0; start < count; start += CHUNK_RECORDS) {
    const end = Math.min(count, start + CHUNK_RECORDS)
    for (let at = start; at < end; at++) {
      const node = order[at] ?? 0
      const [cold, c] = columns.cold.at(node)
      const childCount = columns.parent[node] ?? 0
      if (at > 0) {
        while (parentsLeft === 0) parentsLeft = columns.parent[order[parent++] ?? 0] ?? 0
        parentsLeft--
      }
      const r = (at - start) * RECORD_BYTES
      records.writeUInt32LE(columns.nameOffset[node] ?? 0, r + AT.nameOffset)
      records.writeUInt16LE(columns.nameBytes[node] ?? 0, r + AT.nameBytes)
      records[r + AT.type] = columns.type[node] ?? 0
      records[r + AT.flags] = columns.flags[node] ?? 0
      records.writeUInt16LE(cold.readUInt16LE(c + COLD.mode), r + AT.mode)
      records.writeUInt16LE(cold.readUInt16LE(c + COLD.extraUnits), r + AT.extraBytes)
      records.writeUInt32LE(cold.readUInt32LE(c + COLD.uid), r + AT.uid)
      records.writeUInt32LE(cold.readUInt32LE(c + COLD.gid), r + AT.gid)
      records.writeUInt32LE(childCount === 0 ? 0 : children, r + AT.childStart)
      records.writeUInt32LE(childCount, r + AT.childCount)
      records.writeUInt32LE(cold.readUInt32LE(c + COLD.extraOffset), r + AT.extraOffset)
      records.writeUInt32LE(Math.max(0, parent - 1), r + AT.parent)
      records.writeUInt32LE(columns.turn[node] ?? 0, r + AT.belowCount)
      records.writeDoubleLE(cold.readDoubleLE(c + COLD.sizeBytes), r + AT.sizeBytes)
      records.writeDoubleLE(columns.bytes[node] ?? 0, r + AT.belowBytes)
      records.writeDoubleLE(leafBytes[node] ?? 0, r + AT.leafBytes)
      records.writeDoubleLE(cold.readDoubleLE(c + COLD.dataOffset) || -1, r + AT.dataOffset)
      records.writeDoubleLE(cold.readDoubleLE(c + COLD.mtime), r + AT.mtime)
      cold.copy(records, r + AT.digest, c + COLD.digest, c + COLD.digest + 32)
      children += childCount
    }
    writeAll(fd, records.subarray(0, (end - start) * RECORD_BYTES), HEAD_BYTES + start * RECORD_BYTES)
    countPassed(CHUNK_GARBAGE_BYTES)
    if (slice.isOver) await slice.giveWay()
  }
  free(leafBytes)
  free(order)
  const head = Buffer.alloc(HEAD_BYTES)
  head.write(MAGIC, "latin1")
  head.writeUInt32LE(count, HEAD.records)
  head.writeDoubleLE(usedBytes, HEAD.stringsBytes)
  head.writeDoubleLE(layer.sizeBytes, HEAD.sizeBytes)
  head.writeDoubleLE(layer.entries, HEAD.entries)
  head.writeUInt32LE(layer.whiteouts, HEAD.whiteouts)
  writeAll(fd, head, 0)
}

/**
 * Writes names in the order of their records, what few have besides behind its name, and says in the columns where each is now. Gives how many
 * bytes they are.
 */
async function writeTexts(
  fd: number,
  { columns, strings }: LayerIndexer,
  { order, count }: { order: Uint32Array; count: number },
  slice: TimeSlice,
): Promise<number> {
  const texts = new Tail(fd, HEAD_BYTES + count * RECORD_BYTES)
  for (let at = 0; at < count; at++) {
    const node = order[at] ?? 0
    columns.nameOffset[node] = texts.add(strings, columns.nameOffset[node] ?? 0, columns.nameBytes[node] ?? 0)
    const [cold, c] = columns.cold.at(node)
    const extraBytes = cold.readUInt16LE(c + COLD.extraUnits) * 8
    if (extraBytes > 0) {
      const extraOffset = texts.add(strings, cold.readUInt32LE(c + COLD.extraOffset), extraBytes)
      const [changed, place] = columns.cold.at(node, true)
      changed.writeUInt32LE(extraOffset, place + COLD.extraOffset)
    }
    if (at % CHUNK_RECORDS === 0) countPassed(CHUNK_GARBAGE_BYTES)
    if (slice.isOver) await slice.giveWay()
  }
  return texts.end()
}

/** Texts, one behind the other in a file from a place on. */
class Tail {
  readonly #fd: number
  readonly #from: number
  readonly #chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  #filled = 0
  #written = 0

  constructor(fd: number, from: number) {
    this.#fd = fd
    this.#from = from
  }

  /** Gives where it is. */
  add({ bytes }: Strings, offset: number, length: number): number {
    if (this.#filled + length > CHUNK_BYTES) this.#write()
    this.#filled += bytes.copy(this.#chunk, this.#filled, offset, offset + length)
    return this.#written + this.#filled - length
  }

  /** Gives how many bytes there are. */
  end(): number {
    this.#write()
    return this.#written
  }

  #write(): void {
    writeAll(this.#fd, this.#chunk.subarray(0, this.#filled), this.#from + this.#written)
    this.#written += this.#filled
    this.#filled = 0
  }
}

function add(column: Uint32Array | Float64Array, at: number, by: number): void {
  column[at] = (column[at] ?? 0) + by
}

function writeAll(fd: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done, at + done)
}

/** Afterwards `columns.parent` says how many names a directory has. */
function sortNames(columns: Columns, { bytes }: Strings): { order: Uint32Array<ArrayBuffer>; count: number } {
  const { parent, nameOffset, nameBytes, turn } = columns
  const ends = new Uint32Array(columns.count + 1)
  for (let node = 1; node < columns.count; node++) add(ends, (parent[node] ?? 0) + 1, 1)
  for (let node = 0; node < columns.count; node++) add(ends, node + 1, ends[node] ?? 0)
  const grouped = new Uint32Array(columns.count)
  // where the next of a directory's goes: in the end each place is that of its last, so the one before is its first
  for (let node = 1; node < columns.count; node++) {
    const above = parent[node] ?? 0
    grouped[ends[above] ?? 0] = node
    add(ends, above, 1)
  }
  const startOf = (node: number) => (node === 0 ? 0 : (ends[node - 1] ?? 0))
  parent.fill(0)
  const order = new Uint32Array(columns.count)
  let count = 1
  for (let at = 0; at < count; at++) {
    const node = order[at] ?? 0
    const start = startOf(node)
    const end = ends[node] ?? 0
    if (start === end) continue
    sortGroup(start, end)
    const before = count
    for (let index = start; index < end; index++) putDistinct(grouped[index] ?? 0, before)
    parent[node] = count - before
  }
  free(ends)
  free(grouped)
  return { order, count }

  /** By the names' bytes. It is called for each name: pairs would be 100 MB of garbage. */
  function compare(a: number, b: number): number {
    const from = nameOffset[a] ?? 0
    const to = nameOffset[b] ?? 0
    return bytes.compare(bytes, to, to + (nameBytes[b] ?? 0), from, from + (nameBytes[a] ?? 0))
  }

  function sortGroup(start: number, end: number): void {
    for (let at = start + 1; at < end; at++)
      if (compare(grouped[at - 1] ?? 0, grouped[at] ?? 0) >= 0) {
        grouped.subarray(start, end).sort((a, b) => compare(a, b) || a - b)
        return
      }
  }

  /** Of a name that came twice, the last header holds, and what is below any. */
  function putDistinct(node: number, first: number): void {
    const last = order[count - 1] ?? 0
    if (count === first || compare(last, node) !== 0) {
      order[count++] = node
      return
    }
    const kept = startOf(node) < (ends[node] ?? 0) ? node : last
    const dropped = kept === node ? last : node
    if ((turn[dropped] ?? 0) > (turn[kept] ?? 0)) columns.copyHeader(dropped, kept)
    order[count - 1] = kept
  }
}

/** A hard link has the contents of its file. */
function linkDigests({ columns, strings, directories }: LayerIndexer, order: Uint32Array, count: number): void {
  if (!columns.type.subarray(0, columns.count).includes(HARD_LINK)) return
  const childStart = new Uint32Array(columns.count)
  for (let at = 0, children = 1; at < count; at++) {
    const node = order[at] ?? 0
    childStart[node] = children
    children += columns.parent[node] ?? 0
  }
  for (let node = 0; node < columns.count; node++) {
    if (columns.type[node] !== HARD_LINK) continue
    const [page, at] = columns.cold.at(node)
    const length = page.readUInt16LE(at + COLD.extraUnits) * 8
    if (length === 0) continue
    const { link = "" } = JSON.parse(strings.at(page.readUInt32LE(at + COLD.extraOffset), length)) as Extra
    const target = find(link.replace(/^(?:\.?\/)+/, ""))
    if (target === undefined || ((columns.flags[target] ?? 0) & FLAG.digest) === 0) continue
    const digest = columns.cold.copyOf(target).subarray(COLD.digest, COLD.digest + 32)
    const [own, place] = columns.cold.at(node, true)
    own.set(digest, place + COLD.digest)
    columns.flags[node] = (columns.flags[node] ?? 0) | FLAG.digest
  }
  free(childStart)

  function find(path: string): number | undefined {
    const parts = path.split("/")
    const last = parts.pop() ?? ""
    let node: number | undefined = 0
    for (const part of parts) if ((node = directories.get(`${node}/${part}`)) === undefined) return undefined
    let [low, high] = [childStart[node] ?? 0, (childStart[node] ?? 0) + (columns.parent[node] ?? 0)]
    while (low < high) {
      const middle = (low + high) >>> 1
      const child = order[middle] ?? 0
      const name = strings.at(columns.nameOffset[child] ?? 0, columns.nameBytes[child] ?? 0)
      if (name === last) return child
      if (name < last) low = middle + 1
      else high = middle
    }
    return undefined
  }
}

/**
 * What is below each name: how many in `columns.turn`, their bytes in `columns.bytes`, and whether they hide something in its flags. Gives the
 * bytes of those that have nothing below them.
 */
function sumUp(columns: Columns, order: Uint32Array, count: number): Float64Array<ArrayBuffer> {
  const { bytes, flags, turn, parent: childCount } = columns
  const leafBytes = new Float64Array(columns.count)
  turn.fill(0)
  // children come after their directory, and those of later ones after those: from the end each is whole before it is added
  let end = count
  for (let at = count - 1; at >= 0; at--) {
    const node = order[at] ?? 0
    const children = childCount[node] ?? 0
    if (children === 0) leafBytes[node] = bytes[node] ?? 0
    if (((flags[node] ?? 0) & (FLAG.whiteout | FLAG.opaque)) !== 0) flags[node] = (flags[node] ?? 0) | FLAG.hides
    for (let below = end - children; below < end; below++) {
      const child = order[below] ?? 0
      add(bytes, node, bytes[child] ?? 0)
      add(leafBytes, node, leafBytes[child] ?? 0)
      add(turn, node, (turn[child] ?? 0) + 1)
      flags[node] = (flags[node] ?? 0) | ((flags[child] ?? 0) & FLAG.hides)
    }
    end -= children
  }
  return leafBytes
}
