import { createHash, type Hash } from "node:crypto"
import type { ListedFile } from "../../archive/archive.ts"
import { TarReader } from "../../archive/tar-reader.ts"
import type { TarEntry, TarSink } from "../../archive/tar-entry.ts"
import { Unsupported } from "../../base/errors.ts"
import { digestHex } from "../../spec/digest.ts"
import { COLD, Columns, Strings } from "./columns.ts"
import { FLAG, MAX_ENTRIES, TYPES, type Extra } from "./format.ts"
import { cleanPath } from "./clean-path.ts"
import { shownAttribute } from "./shown-attribute.ts"

const WHITEOUT = ".wh."
const WHITEOUT_META = ".wh..wh."
const OPAQUE = ".wh..wh..opq"
/** A sparse file of a terabyte is nothing to its layer, and ten minutes to who reads its holes: so many bytes of holes are read in a layer. */
const MAX_HOLE_BYTES = 4 * 2 ** 30
const MAX_EXTRA_BYTES = 256 * 1024
const EMPTY_DIGEST = createHash("sha256").digest()
const ZEROS = Buffer.alloc(1 << 16)

/**
 * Reads a layer's archive, piece by piece, to what an index is written of. Names count as dive counts them: a later entry of a name takes
 * the place of the one before, directories without an entry are there, metadata of whiteouts is not.
 */
export class LayerIndexer implements TarSink, Disposable {
  readonly columns: Columns
  readonly strings = new Strings()
  /** Of directories by the number of their parent and their name. */
  readonly directories = new Map<string, number>()
  /** Of all entries together, also of those that another takes the place of. */
  sizeBytes = 0
  entries = 0
  whiteouts = 0
  readonly #reader = new TarReader(this)
  readonly #called: string
  #hash: Hash | undefined
  #node = -1
  #position = 0
  #holeBytes = 0
  #turn = 0
  #lastPath = "\0"
  #lastDirectory = 0

  /** `called`: the layer, in errors. `scratch`: the directory for what does not fit into memory. */
  constructor(called: string, scratch: string) {
    this.#called = called
    this.columns = new Columns(scratch)
    this.#make(0, "", TYPES.indexOf("directory"), FLAG.implied)
  }

  /** The next bytes of the uncompressed archive. Throws DataLoss, InvalidArgument, Unsupported beyond the bounds. */
  write(chunk: Uint8Array): void {
    this.#reader.write(chunk)
  }

  /** After the last. Throws DataLoss. */
  finish(): void {
    this.#reader.finish()
  }

  [Symbol.dispose](): void {
    this.columns[Symbol.dispose]()
    this.strings[Symbol.dispose]()
  }

  entry(entry: TarEntry): void {
    this.#hash = undefined
    this.#node = -1
    const path = cleanPath(entry.name)
    if (path === ".") return this.#describe(0, entry)
    this.entries++
    this.sizeBytes += entry.sizeBytes
    const relative = path.startsWith("/") ? path.slice(1) : path
    if (relative === "") return this.#describe(0, entry)
    const cut = relative.lastIndexOf("/")
    const parent = this.#directory(cut < 0 ? "" : relative.slice(0, cut))
    const name = relative.slice(cut + 1)
    if (parent === undefined) return
    if (name.startsWith(WHITEOUT_META)) {
      if (name === OPAQUE) this.columns.flags[parent] = (this.columns.flags[parent] ?? 0) | FLAG.opaque
      return
    }
    const isDirectory = entry.type === "directory"
    const node = this.directories.get(`${parent}/${name}`) ?? this.#make(parent, name, 0, 0)
    if (isDirectory) this.directories.set(`${parent}/${name}`, node)
    this.#describe(node, entry)
    this.columns.flags[node] = (this.columns.flags[node] ?? 0) | (path.startsWith("/") ? FLAG.absolute : 0)
    if (entry.type !== "file") return
    this.#node = node
    this.#position = 0
    this.#hash = entry.sizeBytes === 0 ? undefined : createHash("sha256")
    if (entry.sizeBytes === 0) this.#setDigest(EMPTY_DIGEST)
  }

  /** A file that a table of contents names, in place of its bytes. */
  listed({ entry, digest }: ListedFile): void {
    this.entry(entry)
    const isContent = this.#node >= 0 && entry.sizeBytes > 0
    this.#hash = undefined
    if (isContent && digest?.startsWith("sha256:") === true) this.#setDigest(Buffer.from(digestHex(digest), "hex"))
    this.#node = -1
  }

  data(bytes: Uint8Array, offset: number): void {
    if (offset > this.#position) this.#hole(offset - this.#position)
    this.#hash?.update(bytes)
    this.#position = offset + bytes.length
  }

  end(): void {
    if (this.#node < 0) return
    const size = this.columns.bytes[this.#node] ?? 0
    if (size > this.#position) this.#hole(size - this.#position)
    if (this.#hash !== undefined) this.#setDigest(this.#hash.digest())
  }

  #setDigest(digest: Uint8Array): void {
    const [page, at] = this.columns.cold.at(this.#node, true)
    page.set(digest, at + COLD.digest)
    this.columns.flags[this.#node] = (this.columns.flags[this.#node] ?? 0) | FLAG.digest
  }

  #hole(bytes: number): void {
    this.#holeBytes += bytes
    if (this.#holeBytes > MAX_HOLE_BYTES) this.#hash = undefined
    for (let left = this.#hash === undefined ? 0 : bytes; left > 0; left -= ZEROS.length)
      this.#hash?.update(left < ZEROS.length ? ZEROS.subarray(0, left) : ZEROS)
  }

  /** Undefined below what is metadata of whiteouts. */
  #directory(path: string): number | undefined {
    if (path === this.#lastPath) return this.#lastDirectory
    let node = 0
    for (const name of path === "" ? [] : path.split("/")) {
      if (name.startsWith(WHITEOUT_META)) return undefined
      const key = `${node}/${name}`
      const known = this.directories.get(key)
      const next = known ?? this.#make(node, name, TYPES.indexOf("directory"), FLAG.implied)
      if (known === undefined) this.directories.set(key, next)
      node = next
    }
    this.#lastPath = path
    this.#lastDirectory = node
    return node
  }

  #make(parent: number, name: string, type: number, flags: number): number {
    const { columns } = this
    if (columns.count > MAX_ENTRIES)
      throw new Unsupported(`${this.#called} has more than ${MAX_ENTRIES} files`, {
        hint: "so many are not looked into: make it of several layers",
      })
    const node = columns.add()
    columns.parent[node] = parent
    columns.nameOffset[node] = this.strings.add(name)
    columns.nameBytes[node] = name.length
    columns.type[node] = type
    const isWhiteout = name.startsWith(WHITEOUT)
    if (isWhiteout) this.whiteouts++
    columns.flags[node] = flags | (isWhiteout ? FLAG.whiteout : 0)
    return node
  }

  #describe(node: number, entry: TarEntry): void {
    const { columns } = this
    columns.turn[node] = ++this.#turn
    columns.type[node] = TYPES.indexOf(entry.type)
    columns.bytes[node] = entry.sizeBytes
    columns.flags[node] =
      ((columns.flags[node] ?? 0) & (FLAG.whiteout | FLAG.opaque)) | (entry.isSparse ? FLAG.sparse : 0)
    const extra = extraOf(entry)
    const [page, at] = columns.cold.at(node, true)
    page.writeUInt16LE(entry.mode, at + COLD.mode)
    page.writeUInt32LE(Math.min(Math.max(entry.uid, 0), 0xffffffff), at + COLD.uid)
    page.writeUInt32LE(Math.min(Math.max(entry.gid, 0), 0xffffffff), at + COLD.gid)
    page.writeDoubleLE(entry.sizeBytes, at + COLD.sizeBytes)
    page.writeDoubleLE(Number(entry.mtime.seconds), at + COLD.mtime)
    // 0, where the first header is: none that lies in one piece
    page.writeDoubleLE(entry.type === "file" && !entry.isSparse ? this.#reader.dataOffset : 0, at + COLD.dataOffset)
    page.writeUInt32LE(extra === undefined ? 0 : this.strings.add(extra), at + COLD.extraOffset)
    page.writeUInt16LE((extra?.length ?? 0) / 8, at + COLD.extraUnits)
  }
}

/** Padded to units of 8. */
function extraOf({ type, linkName, device, attributes }: TarEntry): string | undefined {
  const isLink = type === "symlink" || type === "hardlink"
  const isDevice = type === "character" || type === "block"
  if (!isLink && !isDevice && attributes.size === 0) return undefined
  const extra: Extra = { ...(isLink && { link: linkName }), ...(isDevice && { device }) }
  if (attributes.size > 0)
    extra.attributes = Object.fromEntries([...attributes].map(([name, value]) => [name, shownAttribute(name, value)]))
  let text = JSON.stringify(extra)
  // what names and values are cut to keeps it far below
  if (text.length > MAX_EXTRA_BYTES) text = JSON.stringify({ ...extra, attributes: { cut: "too many to be shown" } })
  return text.padEnd(Math.ceil(text.length / 8) * 8)
}
