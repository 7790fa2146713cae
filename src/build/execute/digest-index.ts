import { mkdirSync, readdirSync, readFileSync, statSync, unlinkSync } from "node:fs"
import { join } from "node:path"
import { atomicWrite } from "../../base/atomic-write.ts"

const MAGIC = Buffer.from("skiffdg1")
/** dev, ino and size, ctime, mtime: the parts of struct statx that change when a file's bytes or attributes do. */
const PARTS = [
  [136, 144],
  [32, 48],
  [96, 108],
  [112, 124],
] as const
const IDENTITY_BYTES = 16
const STATE_BYTES = PARTS.reduce((sum, [start, end]) => sum + end - start, 0)
/** Of SHA-256. */
const DIGEST_BYTES = 32
const RECORD_BYTES = STATE_BYTES + DIGEST_BYTES
/** A file that changed just now may change again without another time: the clock of a file system ticks slowly. */
const RACY_SECONDS = 2
const UNUSED_DAYS = 14

/**
 * Digests of files by device, inode, size and times, as git's index has them: an unchanged context is not read again. One
 * file of the store for each context; losing it costs time only.
 */
export class DigestIndex {
  readonly #path: string
  readonly #known = new Map<string, Buffer>()
  readonly #used = new Map<string, Buffer>()
  #isChanged = false

  /** `name`: a hash of where the context lies. */
  constructor(root: string, name: string) {
    this.#path = join(root, "build", "digests", name)
    const bytes = readIndex(this.#path)
    for (let at = MAGIC.length; at + RECORD_BYTES <= bytes.length; at += RECORD_BYTES) {
      const record = bytes.subarray(at, at + RECORD_BYTES)
      this.#known.set(record.toString("latin1", 0, IDENTITY_BYTES), record)
    }
  }

  /** The digest of the file that `stat` (struct statx) is of; undefined when it has changed or is new. */
  find(stat: Buffer): Buffer | undefined {
    const state = stateOf(stat)
    const key = state.toString("latin1", 0, IDENTITY_BYTES)
    const record = this.#used.get(key) ?? this.#known.get(key)
    if (record === undefined || state.compare(record, 0, STATE_BYTES) !== 0) return undefined
    this.#used.set(key, record)
    return record.subarray(STATE_BYTES)
  }

  /** `state` is what `stateOf` gave before the file was read. */
  add(state: Buffer, digest: Uint8Array): void {
    const changed = Number(state.readBigInt64LE(IDENTITY_BYTES + 8))
    if (changed > Date.now() / 1000 - RACY_SECONDS) return
    this.#used.set(state.toString("latin1", 0, IDENTITY_BYTES), Buffer.concat([state, digest]))
    this.#isChanged = true
  }

  /** Writes what was learnt, with what is still likely true. Never throws: it is only for speed. */
  save(): void {
    if (!this.#isChanged) return
    this.#isChanged = false
    const rest = [...this.#known].filter(([key]) => !this.#used.has(key)).map(([, record]) => record)
    const kept = rest.length > 2 * this.#used.size ? [] : rest
    try {
      mkdirSync(join(this.#path, ".."), { recursive: true, mode: 0o700 })
      atomicWrite(this.#path, Buffer.concat([MAGIC, ...this.#used.values(), ...kept]))
      removeUnused(join(this.#path, ".."))
    } catch {
      // a full disk: the next build reads the files again
    }
  }
}

const state = Buffer.alloc(STATE_BYTES)

/** The parts of struct statx that tell one state of a file, in a buffer that is used again. */
export function stateOf(stat: Buffer): Buffer {
  let at = 0
  for (const [start, end] of PARTS) at += stat.copy(state, at, start, end)
  return state
}

function readIndex(path: string): Buffer {
  try {
    const bytes = readFileSync(path)
    return bytes.subarray(0, MAGIC.length).equals(MAGIC) ? bytes : Buffer.alloc(0)
  } catch {
    return Buffer.alloc(0)
  }
}

function removeUnused(directory: string): void {
  const oldest = Date.now() - UNUSED_DAYS * 24 * 3600 * 1000
  for (const name of readdirSync(directory))
    if (statSync(join(directory, name)).mtimeMs < oldest) unlinkSync(join(directory, name))
}
