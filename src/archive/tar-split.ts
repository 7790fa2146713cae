/**
 * What is left of a layer's archive when its files have been extracted (docker and containers/storage call it tar-split):
 * headers, padding and order, byte for byte. With the extracted files it gives the very archive again, so that a layer lies
 * on the disk once.
 *
 * The form: a magic line, then frames of zstd, each after its length (32 bits, little endian). A frame holds records:
 * `0`, length (32 bits), bytes as they are; or `1`, size (64 bits), length of the path (16 bits), path: the content of that file.
 */
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs"
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib"
import type { Bytes } from "../base/bytes.ts"
import { DataLoss } from "../base/errors.ts"
import { TimeSlice } from "../base/time-slice.ts"
import { openRoot } from "../sys/fs/confined.ts"
import { rawCString, shownName } from "../sys/fs/raw-name.ts"
import { close, libc, O_CLOEXEC, O_NOFOLLOW, O_NONBLOCK } from "../sys/libc.ts"
import { DirectoryCache } from "./directory-cache.ts"
import { parseLayerPath } from "./layer-path.ts"

const MAGIC = Buffer.from("skiff tar-split 1\n")
const FRAME_BYTES = 512 * 1024
const RECORD_HEAD_BYTES = 16
const MAX_PATH_BYTES = 0xffff
const RAW = 0
const FILE = 1
// headers of one layer resemble each other: the quickest level leaves a fortieth of them
const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** Writes a tar-split while the layer is extracted. Disposed before `finish`, it leaves a file that is of no use. */
export class TarSplitWriter implements Disposable {
  readonly #fd: number
  readonly #frame = Buffer.allocUnsafe(FRAME_BYTES)
  #used = 0
  /** Where the length of the open record of plain bytes stands; -1: none is open. */
  #rawAt = -1
  #isOpen = true

  /** Throws SystemError when `path` is there. */
  constructor(path: string) {
    this.#fd = openSync(path, "wx", 0o600)
    writeSync(this.#fd, MAGIC)
  }

  /** Bytes of the archive that are no file's content. */
  raw(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#used + RECORD_HEAD_BYTES >= FRAME_BYTES) this.#flush()
      if (this.#rawAt < 0) {
        this.#frame[this.#used] = RAW
        this.#rawAt = this.#used + 1
        this.#used += 5
      }
      const count = Math.min(bytes.length - at, FRAME_BYTES - this.#used)
      this.#frame.set(bytes.subarray(at, at + count), this.#used)
      this.#used += count
      this.#frame.writeUInt32LE(this.#used - this.#rawAt - 4, this.#rawAt)
      at += count
      if (this.#used === FRAME_BYTES) this.#flush()
    }
  }

  /** Here stands the content of the file that was extracted to `path` (raw). */
  file(path: string, sizeBytes: number): void {
    if (this.#used + RECORD_HEAD_BYTES + path.length > FRAME_BYTES) this.#flush()
    this.#rawAt = -1
    const at = this.#used
    this.#frame[at] = FILE
    this.#frame.writeBigUInt64LE(BigInt(sizeBytes), at + 1)
    this.#frame.writeUInt16LE(Math.min(path.length, MAX_PATH_BYTES), at + 9)
    this.#used = at + 11 + this.#frame.write(path, at + 11, "latin1")
  }

  finish(): void {
    this.#flush()
    this[Symbol.dispose]()
  }

  [Symbol.dispose](): void {
    if (this.#isOpen) closeSync(this.#fd)
    this.#isOpen = false
  }

  #flush(): void {
    if (this.#used === 0) return
    const packed = zstdCompressSync(this.#frame.subarray(0, this.#used), LEVEL)
    const length = Buffer.allocUnsafe(4)
    length.writeUInt32LE(packed.length)
    for (const bytes of [length, packed])
      for (let done = 0; done < bytes.length;) done += writeSync(this.#fd, bytes, done)
    this.#used = 0
    this.#rawAt = -1
  }
}

const CHUNK_BYTES = 1 << 20

/** How the archive is given again. */
export interface JoinOptions {
  /** Each chunk is overwritten once the next is asked for. */
  reuse?: boolean
  signal?: AbortSignal
}

/**
 * The archive again, from its tar-split and the files below `root`, which may be hostile: no link in them is followed out.
 * Throws DataLoss when files are missing or have another size; whether they have another content shows in the digest, which
 * the reader checks.
 */
export async function* joinTarSplit(path: string, root: string, options: JoinOptions = {}): Bytes {
  yield* joinRecords(recordsOf(path), root, options)
}

/** The same from records of any form. */
export async function* joinRecords(
  records: Iterable<SplitRecord> | AsyncIterable<SplitRecord>,
  root: string,
  { reuse = false, signal }: JoinOptions = {},
): Bytes {
  using fds = new DisposableStack()
  const rootFd = fds.adopt(openRoot(root), close)
  const directories = fds.use(new DirectoryCache(rootFd, () => {}))
  const buffers = reuse ? [Buffer.allocUnsafe(CHUNK_BYTES), Buffer.allocUnsafe(CHUNK_BYTES)] : []
  let turn = 0
  const fresh = () => buffers[turn++ % 2] ?? Buffer.allocUnsafe(CHUNK_BYTES)
  const slice = new TimeSlice(signal)
  let chunk = fresh()
  let used = 0
  for await (const record of records) {
    const source = record.kind === "raw" ? undefined : openContent(directories, record)
    try {
      const size = record.kind === "raw" ? record.bytes.length : record.sizeBytes
      for (let at = 0; at < size;) {
        const count = Math.min(size - at, CHUNK_BYTES - used)
        if (record.kind === "raw") chunk.set(record.bytes.subarray(at, at + count), used)
        else readWhole(source ?? -1, chunk, used, count, at, record.path)
        used += count
        at += count
        if (used < CHUNK_BYTES) continue
        yield chunk
        chunk = fresh()
        used = 0
      }
    } finally {
      if (source !== undefined) close(source)
    }
    directories.trim()
    if (slice.isOver) await slice.giveWay()
  }
  if (used > 0) yield chunk.subarray(0, used)
}

/** The files that hold something, by their raw paths. Throws DataLoss. */
export function* listTarSplit(path: string): Generator<{ path: string; sizeBytes: number }> {
  for (const record of recordsOf(path)) if (record.kind === "file") yield record
}

/** A piece of the archive: bytes as they are, or the content of the file at a path (raw). */
export type SplitRecord = { kind: "raw"; bytes: Uint8Array } | { kind: "file"; path: string; sizeBytes: number }

function* recordsOf(path: string): Generator<SplitRecord> {
  for (const frame of framesOf(path))
    for (let at = 0; at < frame.length;) {
      if (frame[at] === RAW) {
        const end = at + 5 + frame.readUInt32LE(at + 1)
        yield { kind: "raw", bytes: frame.subarray(at + 5, end) }
        at = end
      } else {
        const end = at + 11 + frame.readUInt16LE(at + 9)
        const sizeBytes = Number(frame.readBigUInt64LE(at + 1))
        yield { kind: "file", path: frame.toString("latin1", at + 11, end), sizeBytes }
        at = end
      }
    }
}

function* framesOf(path: string): Generator<Buffer> {
  const fd = openSync(path, "r")
  try {
    const head = Buffer.alloc(MAGIC.length)
    const length = Buffer.alloc(4)
    if (readSync(fd, head) !== head.length || !head.equals(MAGIC)) throw damaged(path)
    for (let count = readSync(fd, length); count > 0; count = readSync(fd, length)) {
      const packed = Buffer.allocUnsafe(Math.min(length.readUInt32LE(), 2 * FRAME_BYTES))
      if (readSync(fd, packed) !== packed.length) throw damaged(path)
      yield zstdDecompressSync(packed, { maxOutputLength: FRAME_BYTES })
    }
  } finally {
    closeSync(fd)
  }
}

function damaged(path: string): DataLoss {
  return new DataLoss(`"${path}" is damaged: its layer cannot be written as an archive any more`)
}

function openContent(directories: DirectoryCache, record: SplitRecord & { kind: "file" }): number {
  const { directory, name } = parseLayerPath(record.path)
  const parent = directories.find(directory)
  const fd = parent === undefined ? -1 : libc.openat(parent, rawCString(name), O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0)
  if (fd < 0) throw changed(record.path)
  const stat = fstatSync(fd)
  if (stat.isFile() && stat.size === record.sizeBytes) return fd
  close(fd)
  throw changed(record.path)
}

function readWhole(fd: number, into: Buffer, start: number, length: number, at: number, path: string): void {
  for (let done = 0; done < length;) {
    const count = readSync(fd, into, start + done, length - done, at + done)
    if (count === 0) throw changed(path)
    done += count
  }
}

function changed(path: string): DataLoss {
  return new DataLoss(`the file ${shownName(path)} of a layer has been changed in the store`)
}
