/**
 * A tar reader that is fed: ustar, GNU (long names, sparse, base-256 numbers) and pax. Synchronous and without copies of
 * file data, for it stands in the way of every pulled byte.
 *
 * Global pax headers (`g`) are read over, as every container engine does: what they say for all files is meant for no layer.
 */
import { DataLoss, InvalidArgument, Unsupported } from "../base/errors.ts"
import { shownName } from "../sys/fs/raw-name.ts"
import { parseCount, parsePax, parsePaxTime, type PaxRecords } from "./pax.ts"
import { checkParts, partsOfBlock, partsOfPax, SparseMapText, type SparsePart } from "./sparse.ts"
import { BLOCK_BYTES, TAR_LIMITS, type TarEntry, type TarEntryType, type TarLimits, type TarSink } from "./tar-entry.ts"
import { decodeHeader, isZeroBlock, size, type TarHeader } from "./tar-header.ts"

const TYPES: Record<string, TarEntryType> = {
  "0": "file",
  "\0": "file",
  "7": "file", // contiguous
  S: "file", // GNU sparse
  "1": "hardlink",
  "2": "symlink",
  "3": "character",
  "4": "block",
  "5": "directory",
  D: "directory", // GNU incremental: names follow as data
  "6": "fifo",
}

const NO_ATTRIBUTES: ReadonlyMap<string, Uint8Array> = new Map()

/** What the next bytes are. */
type State =
  | { kind: "header" }
  /** The body of an `x`, `L` or `K` header, put together. */
  | { kind: "extension"; flag: string; body: Buffer; filled: number }
  /** More parts of a type `S` header. */
  | { kind: "sparse-blocks"; header: TarHeader; parts: SparsePart[] }
  /** The map at the start of a pax 1.0 sparse file's data. */
  | { kind: "sparse-map"; entry: TarEntry; storedBytes: number; map: SparseMapText }
  | {
      kind: "data"
      left: number
      offset: number
      parts: readonly SparsePart[] | undefined
      part: number
      padding: number
    }
  | { kind: "skip"; left: number }
  | { kind: "end" }

/** Reads one archive, in pieces of any size. */
export class TarReader {
  readonly #sink: TarSink
  readonly #limits: TarLimits
  readonly #block = Buffer.alloc(BLOCK_BYTES)
  #blockFilled = 0
  #state: State = { kind: "header" }
  /** Bytes of the chunks before this one, and up to the end of the block being looked at. */
  #before = 0
  #blockEnd = 0
  #zeroBlocks = 0
  // what extended headers say of the next entry
  #pax: PaxRecords | undefined
  #longName: string | undefined
  #longLink: string | undefined

  constructor(sink: TarSink, limits: Partial<TarLimits> = {}) {
    this.#sink = sink
    this.#limits = { ...TAR_LIMITS, ...limits }
  }

  /** Takes the next bytes. Throws DataLoss on what no tar has, InvalidArgument beyond the limits, and what the sink throws. */
  write(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    for (let at = 0; at < bytes.length;) {
      const isData = this.#state.kind === "data"
      const next = this.#take(bytes, at)
      if (!isData) this.#sink.raw?.(bytes.subarray(at, next))
      at = next
    }
    this.#before += bytes.length
  }

  /** Passes over the rest of a file's data, which the sink is then not told: so many bytes are not to be written. */
  passOver(): number {
    const state = this.#state
    if (state.kind !== "data" || state.parts !== undefined) return 0
    this.#before += state.left
    this.#sink.end()
    this.#skip(state.padding)
    return state.left
  }

  /** Within `sink.entry`, of an entry that is not sparse: where its data begins, in bytes from the start of the archive. */
  get dataOffset(): number {
    return this.#blockEnd
  }

  /** After the last byte. Throws DataLoss when the archive ends within an entry. */
  finish(): void {
    const isWhole = this.#state.kind === "end" || (this.#state.kind === "header" && this.#blockFilled === 0)
    // archives without end blocks exist, and readers have always taken them
    if (!isWhole || this.#pax !== undefined || this.#longName !== undefined || this.#longLink !== undefined)
      throw new DataLoss("the tar archive is truncated", { hint: "fetch it again" })
  }

  /** Uses up some bytes; gives where the rest starts. */
  #take(bytes: Buffer, at: number): number {
    const state = this.#state
    switch (state.kind) {
      case "data":
        return this.#takeData(state, bytes, at)
      case "skip": {
        const count = Math.min(state.left, bytes.length - at)
        state.left -= count
        if (state.left === 0) this.#state = { kind: "header" }
        return at + count
      }
      case "extension":
        return this.#takeExtension(state, bytes, at)
      case "end":
        return bytes.length
      case "header":
      case "sparse-blocks":
      case "sparse-map":
        return this.#takeBlock(bytes, at)
    }
  }

  /** Puts one block together, without a copy where it lies whole in `bytes`. */
  #takeBlock(bytes: Buffer, at: number): number {
    if (this.#blockFilled === 0 && bytes.length - at >= BLOCK_BYTES) {
      this.#blockEnd = this.#before + at + BLOCK_BYTES
      this.#onBlock(bytes.subarray(at, at + BLOCK_BYTES))
      return at + BLOCK_BYTES
    }
    const count = Math.min(BLOCK_BYTES - this.#blockFilled, bytes.length - at)
    bytes.copy(this.#block, this.#blockFilled, at, at + count)
    this.#blockFilled += count
    if (this.#blockFilled === BLOCK_BYTES) {
      this.#blockFilled = 0
      this.#blockEnd = this.#before + at + count
      this.#onBlock(this.#block)
    }
    return at + count
  }

  #onBlock(block: Buffer): void {
    const state = this.#state
    if (state.kind === "header") this.#onHeader(block)
    else if (state.kind === "sparse-blocks") this.#onSparseBlock(state, block)
    else if (state.kind === "sparse-map") this.#onSparseMap(state, block)
  }

  #onHeader(block: Buffer): void {
    if (isZeroBlock(block)) {
      this.#zeroBlocks++
      if (this.#zeroBlocks === 2) this.#state = { kind: "end" }
      return
    }
    if (this.#zeroBlocks > 0) throw new DataLoss("broken tar: an entry follows an end block")
    const header = decodeHeader(block)
    switch (header.flag) {
      case "x":
      case "X": // Solaris's name for it
      case "L":
      case "K":
        return this.#startExtension(header)
      case "g":
      case "V": // GNU volume label
        return this.#skip(padded(header.sizeBytes))
      case "S":
        return this.#onSparseHeader(header)
      default:
        return this.#onEntry(header)
    }
  }

  #startExtension({ flag, sizeBytes }: TarHeader): void {
    const max = flag === "x" || flag === "X" ? this.#limits.headerBytes : this.#limits.nameBytes + 1
    if (sizeBytes > max)
      throw new InvalidArgument(`a header of the archive has ${sizeBytes} bytes, more than ${max} are not read`)
    if (sizeBytes === 0) return
    this.#state = { kind: "extension", flag, body: Buffer.alloc(sizeBytes), filled: 0 }
  }

  #takeExtension(state: State & { kind: "extension" }, bytes: Buffer, at: number): number {
    const count = Math.min(state.body.length - state.filled, bytes.length - at)
    bytes.copy(state.body, state.filled, at, at + count)
    state.filled += count
    if (state.filled < state.body.length) return at + count
    if (state.flag === "L") this.#longName = cText(state.body)
    else if (state.flag === "K") this.#longLink = cText(state.body)
    else this.#pax = parsePax(state.body, this.#limits)
    this.#skip(padding(state.body.length))
    return at + count
  }

  #onEntry(header: TarHeader): void {
    const entry = this.#describe(header)
    const pax = this.#pax
    this.#forgetExtensions()
    // archive readers agree that only files have data, whatever the size field of a link says
    const storedBytes = entry.type === "file" || header.flag === "D" ? storedSize(header, pax) : 0
    if (entry.type !== "file") {
      this.#sink.entry(entry)
      this.#sink.end()
      return this.#skip(padded(storedBytes))
    }
    if (pax?.values.get("GNU.sparse.major") === "1")
      this.#state = { kind: "sparse-map", entry, storedBytes, map: new SparseMapText() }
    else this.#startData(entry, storedBytes, pax === undefined ? undefined : partsOfPax(pax))
  }

  #onSparseHeader(header: TarHeader): void {
    const { parts, goesOn } = partsOfBlock(header.block, 386, 4)
    const own = { ...header, block: Buffer.from(header.block) }
    if (goesOn) this.#state = { kind: "sparse-blocks", header: own, parts }
    else this.#startGnuSparse(own, parts)
  }

  #onSparseBlock(state: State & { kind: "sparse-blocks" }, block: Buffer): void {
    const { parts, goesOn } = partsOfBlock(block, 0, 21)
    state.parts.push(...parts)
    if (state.parts.length > this.#limits.sparseParts)
      throw new InvalidArgument(`a sparse file has more than ${this.#limits.sparseParts} parts`)
    if (!goesOn) this.#startGnuSparse(state.header, state.parts)
  }

  #startGnuSparse(header: TarHeader, parts: SparsePart[]): void {
    const storedBytes = storedSize(header, this.#pax)
    const entry = { ...this.#describe(header), sizeBytes: size(header.block, 483, "real size"), isSparse: true }
    this.#forgetExtensions()
    this.#startData(entry, storedBytes, parts)
  }

  #onSparseMap(state: State & { kind: "sparse-map" }, block: Buffer): void {
    state.storedBytes -= BLOCK_BYTES
    if (state.storedBytes < 0) throw new DataLoss("broken tar: the map of a sparse file ends half way")
    const parts = state.map.add(block, this.#limits.sparseParts)
    if (parts !== undefined) this.#startData(state.entry, state.storedBytes, parts)
  }

  #startData(entry: TarEntry, storedBytes: number, parts: readonly SparsePart[] | undefined): void {
    if (parts !== undefined)
      checkParts(parts, { sizeBytes: entry.sizeBytes, storedBytes, maxParts: this.#limits.sparseParts })
    this.#sink.entry(entry)
    if (storedBytes === 0) {
      this.#sink.end()
      this.#state = { kind: "header" }
    } else this.#state = { kind: "data", left: storedBytes, offset: 0, parts, part: 0, padding: padding(storedBytes) }
  }

  #takeData(state: State & { kind: "data" }, bytes: Buffer, at: number): number {
    let count = Math.min(state.left, bytes.length - at)
    let offset = state.offset
    if (state.parts !== undefined) {
      const part = this.#partAt(state, state.parts)
      offset = part.offset + state.offset
      count = Math.min(count, part.length - state.offset)
    }
    this.#sink.data(bytes.subarray(at, at + count), offset)
    state.offset += count
    state.left -= count
    if (state.left === 0) {
      this.#sink.end()
      this.#skip(state.padding)
    }
    return at + count
  }

  /** The part being filled; within it `state.offset` counts. */
  #partAt(state: State & { kind: "data" }, parts: readonly SparsePart[]): SparsePart {
    for (;;) {
      const part = parts[state.part]
      if (part === undefined) throw new DataLoss("broken tar: a sparse file has more data than parts")
      if (state.offset < part.length) return part
      state.part++
      state.offset = 0
    }
  }

  #describe(header: TarHeader): TarEntry {
    const values = this.#pax?.values
    const name = checkName(
      values?.get("GNU.sparse.name") ?? (values?.get("path") || (this.#longName ?? header.name)),
      this.#limits,
    )
    // before POSIX a directory was a file whose name ends so
    const isOldDirectory = (header.flag === "0" || header.flag === "\0") && name.endsWith("/")
    const type = isOldDirectory ? "directory" : TYPES[header.flag]
    if (type === undefined)
      throw new Unsupported(`entry ${shownName(name)} of the archive has the unknown type ${shownName(header.flag)}`)
    const realSize = values?.get("GNU.sparse.realsize") ?? values?.get("GNU.sparse.size")
    return {
      type,
      name,
      linkName: checkName(values?.get("linkpath") || (this.#longLink ?? header.linkName), this.#limits),
      mode: header.mode & 0o7777,
      uid: paxNumber(values, "uid") ?? header.uid,
      gid: paxNumber(values, "gid") ?? header.gid,
      sizeBytes:
        type !== "file" ? 0 : realSize === undefined ? storedSize(header, this.#pax) : parseCount(realSize, "size"),
      mtime: this.#mtime(header),
      device: { major: header.major, minor: header.minor },
      attributes: this.#pax?.attributes ?? NO_ATTRIBUTES,
      isSparse: realSize !== undefined,
      ...paxTimes(values),
    }
  }

  #mtime(header: TarHeader): TarEntry["mtime"] {
    const text = this.#pax?.values.get("mtime")
    if (text !== undefined && text !== "") return parsePaxTime(text, "mtime")
    return { seconds: BigInt(header.mtimeSeconds), nanoseconds: 0 }
  }

  #forgetExtensions(): void {
    this.#pax = this.#longName = this.#longLink = undefined
  }

  #skip(count: number): void {
    this.#state = count === 0 ? { kind: "header" } : { kind: "skip", left: count }
  }
}

/** Bytes of data in the archive: the pax record counts where the field is too small. */
function storedSize(header: TarHeader, pax: PaxRecords | undefined): number {
  return paxNumber(pax?.values, "size") ?? header.sizeBytes
}

/** pax(1): an empty value takes the record back. */
function paxNumber(values: PaxRecords["values"] | undefined, key: string): number | undefined {
  const text = values?.get(key)
  return text === undefined || text === "" ? undefined : parseCount(text, key)
}

function paxTimes(values: PaxRecords["values"] | undefined): Pick<TarEntry, "accessTime" | "changeTime"> {
  const [atime, ctime] = [values?.get("atime"), values?.get("ctime")]
  if (!atime && !ctime) return {}
  return {
    ...(atime ? { accessTime: parsePaxTime(atime, "atime") } : {}),
    ...(ctime ? { changeTime: parsePaxTime(ctime, "ctime") } : {}),
  }
}

function checkName(name: string, limits: TarLimits): string {
  if (name.length > limits.nameBytes)
    throw new InvalidArgument(`a name in the archive has ${name.length} bytes, more than ${limits.nameBytes}`)
  return name
}

function cText(body: Buffer): string {
  const end = body.indexOf(0)
  return body.toString("latin1", 0, end < 0 ? body.length : end)
}

function padded(count: number): number {
  return count + padding(count)
}

function padding(count: number): number {
  return (BLOCK_BYTES - (count % BLOCK_BYTES)) % BLOCK_BYTES
}

/** Whether an archive may begin with `head`, its first 512 bytes. */
export function isTarHead(head: Uint8Array): boolean {
  if (head.length < BLOCK_BYTES || head.every((byte) => byte === 0)) return false
  try {
    new TarReader({ entry() {}, data() {}, end() {} }).write(head.subarray(0, BLOCK_BYTES))
    return true
  } catch {
    return false
  }
}
