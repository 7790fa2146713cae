/** Writes bbolt files of the real form, so that tests have databases of Trivy's: inline buckets, branch pages, overflow pages. */

/** Names to values, or to buckets; values are texts. */
export interface BoltTree {
  [key: string]: string | BoltTree
}

const PAGE = 4096
const HEADER = 16
const ELEMENT = 16

interface Entry {
  key: Buffer
  value: Buffer
  isBucket: boolean
}

/** The bytes of a file with this tree. */
export function boltFile(tree: BoltTree): Buffer {
  const pages: Buffer[] = [Buffer.alloc(PAGE), Buffer.alloc(PAGE), Buffer.alloc(PAGE)]
  const root = writeBucket(tree, pages)
  pageHeader(pages[2] as Buffer, 2, 0x10, 0, 0)
  const total = BigInt(Buffer.concat(pages).length / PAGE)
  for (const id of [0, 1]) meta(pages[id] as Buffer, { id, root, total, transaction: BigInt(id) })
  return Buffer.concat(pages)
}

function writeBucket(tree: BoltTree, pages: Buffer[]): bigint {
  const entries = entriesOf(tree, pages)
  // leaves of some entries each, branches above them until one page holds all
  let level = chunks(entries).map((chunk) => ({
    key: chunk[0]?.key ?? Buffer.alloc(0),
    id: append(pages, leaf(chunk)),
  }))
  while (level.length > 1)
    level = split(level, 60).map((children) => ({
      key: children[0]?.key ?? Buffer.alloc(0),
      id: append(pages, branch(children)),
    }))
  return level[0]?.id ?? append(pages, leaf([]))
}

function entriesOf(tree: BoltTree, pages: Buffer[]): Entry[] {
  return Object.entries(tree)
    .map(([key, value]) => ({ key: Buffer.from(key), value }))
    .toSorted((a, b) => Buffer.compare(a.key, b.key))
    .map(({ key, value }) =>
      typeof value === "string"
        ? { key, value: Buffer.from(value), isBucket: false }
        : { key, value: bucketValue(value, pages), isBucket: true },
    )
}

/** A small bucket without buckets lies in its parent's value. */
function bucketValue(tree: BoltTree, pages: Buffer[]): Buffer {
  const head = Buffer.alloc(16)
  const isSmall = Object.values(tree).every((value) => typeof value === "string" && value.length < 100)
  if (isSmall && Object.keys(tree).length < 5) {
    const page = leaf(entriesOf(tree, pages))
    return Buffer.concat([head, page])
  }
  head.writeBigUInt64LE(writeBucket(tree, pages), 0)
  return head
}

function chunks(entries: readonly Entry[]): Entry[][] {
  const all: Entry[][] = []
  let bytes = PAGE
  for (const entry of entries) {
    const size = ELEMENT + entry.key.length + entry.value.length
    if (bytes + size > PAGE - HEADER) {
      all.push([])
      bytes = 0
    }
    all.at(-1)?.push(entry)
    bytes += size
  }
  return all
}

function split<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
}

function leaf(entries: readonly Entry[]): Buffer {
  const heads = Buffer.alloc(HEADER + entries.length * ELEMENT)
  const bodies: Buffer[] = []
  let position = heads.length
  for (const [index, { key, value, isBucket }] of entries.entries()) {
    const at = HEADER + index * ELEMENT
    heads.writeUInt32LE(isBucket ? 1 : 0, at)
    heads.writeUInt32LE(position - at, at + 4)
    heads.writeUInt32LE(key.length, at + 8)
    heads.writeUInt32LE(value.length, at + 12)
    bodies.push(key, value)
    position += key.length + value.length
  }
  pageHeader(heads, 0, 0x02, entries.length, 0)
  return Buffer.concat([heads, ...bodies])
}

function branch(children: readonly { key: Buffer; id: bigint }[]): Buffer {
  const heads = Buffer.alloc(HEADER + children.length * ELEMENT)
  let position = heads.length
  for (const [index, { key, id }] of children.entries()) {
    const at = HEADER + index * ELEMENT
    heads.writeUInt32LE(position - at, at)
    heads.writeUInt32LE(key.length, at + 4)
    heads.writeBigUInt64LE(id, at + 8)
    position += key.length
  }
  pageHeader(heads, 0, 0x01, children.length, 0)
  return Buffer.concat([heads, ...children.map(({ key }) => key)])
}

/** As many pages as it needs, the first with their number. */
function append(pages: Buffer[], bytes: Buffer): bigint {
  const id = Buffer.concat(pages).length / PAGE
  const whole = Buffer.alloc(Math.ceil(bytes.length / PAGE) * PAGE)
  bytes.copy(whole)
  whole.writeBigUInt64LE(BigInt(id), 0)
  whole.writeUInt32LE(whole.length / PAGE - 1, 12)
  pages.push(whole)
  return BigInt(id)
}

function pageHeader(page: Buffer, id: number, flags: number, count: number, overflow: number): void {
  page.writeBigUInt64LE(BigInt(id), 0)
  page.writeUInt16LE(flags, 8)
  page.writeUInt16LE(count, 10)
  page.writeUInt32LE(overflow, 12)
}

function meta(
  page: Buffer,
  { id, root, total, transaction }: { id: number; root: bigint; total: bigint; transaction: bigint },
): void {
  pageHeader(page, id, 0x04, 0, 0)
  const bytes = page.subarray(HEADER)
  bytes.writeUInt32LE(0xed0cdaed, 0)
  bytes.writeUInt32LE(2, 4)
  bytes.writeUInt32LE(PAGE, 8)
  bytes.writeBigUInt64LE(root, 16)
  bytes.writeBigUInt64LE(2n, 32)
  bytes.writeBigUInt64LE(total, 40)
  bytes.writeBigUInt64LE(transaction, 48)
  let hash = 0xcbf29ce484222325n
  for (const byte of bytes.subarray(0, 56)) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn
  bytes.writeBigUInt64LE(hash, 56)
}
