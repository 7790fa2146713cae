import { fstatSync, readdirSync, type BigIntStats } from "node:fs"
import { open, type FileHandle } from "node:fs/promises"
import { join } from "node:path"
import { encodeTarHeader, TAR_END_BYTES, tarPadding, type NewTarEntry } from "../../archive/tar-writer.ts"
import type { Bytes } from "../../base/bytes.ts"
import { hasErrno, PermissionDenied } from "../../base/errors.ts"
import { openWithoutLinks } from "../../sys/fs/confined.ts"
import { readLinkAt } from "../../sys/fs/confined-path.ts"
import { rawName } from "../../sys/fs/raw-name.ts"
import { close, O_PATH } from "../../sys/libc.ts"
import type { SyncedPath } from "./plan-batch.ts"

/** One file, directory or link of the host that containers shall have. */
export interface SyncEntry {
  from: string
  /** Absolute, in the container. */
  to: string
  stat: BigIntStats
}

/**
 * What is there of these paths, with all below directories that no rule ignores; and the places of what is gone. Another container may write
 * where is looked: what has a link on its way by now is not seen.
 */
export function findEntries(synced: readonly SyncedPath[]): { entries: SyncEntry[]; gone: string[] } {
  const entries = new Map<string, SyncEntry>()
  const gone: string[] = []
  for (const one of synced) {
    try {
      using found = new Held(one.from)
      walk(one, found, entries)
    } catch (error) {
      if (hasErrno(error, "ENOENT", "ENOTDIR")) gone.push(one.to)
      else if (!hasErrno(error, "ELOOP")) throw error
    }
  }
  return { entries: [...entries.values()], gone }
}

/** A file, directory or link as it is now, whatever its name leads to later. */
class Held implements Disposable {
  readonly stat: BigIntStats
  readonly #fd: number

  /** Throws SystemError: ELOOP where a link is on the way, ENOENT, ENOTDIR. */
  constructor(path: string) {
    this.#fd = openWithoutLinks(path, O_PATH)
    this.stat = fstatSync(this.#fd, { bigint: true })
  }

  /** Where Node opens this very one. */
  get path(): string {
    return `/proc/self/fd/${this.#fd}`
  }

  [Symbol.dispose](): void {
    close(this.#fd)
  }
}

function walk({ from, to, trigger }: SyncedPath, { stat, path: held }: Held, entries: Map<string, SyncEntry>): void {
  if (!stat.isFile() && !stat.isDirectory() && !stat.isSymbolicLink()) return
  entries.set(to, { from, to, stat })
  if (!stat.isDirectory()) return
  for (const name of readdirSync(held)) {
    const path = join(from, name)
    try {
      using below = new Held(path)
      const isSeen = below.stat.isDirectory() ? !trigger.ignoresDirectory(path) : trigger.concerns(path)
      if (isSeen) walk({ from: path, to: join(to, name), trigger }, below, entries)
    } catch (error) {
      if (!hasErrno(error, "ENOENT", "ENOTDIR", "ELOOP")) throw error
    }
  }
}

/** These entries as a tar whose names begin at the container's root. */
export async function* syncArchive(entries: readonly SyncEntry[]): Bytes {
  for (const { from, to, stat } of entries) {
    const common = {
      name: rawName(to.slice(1)),
      mode: Number(stat.mode & 0o7777n),
      mtime: { seconds: stat.mtimeNs / 1_000_000_000n, nanoseconds: Number(stat.mtimeNs % 1_000_000_000n) },
    }
    if (stat.isDirectory()) yield encodeTarHeader({ ...common, name: `${common.name}/`, type: "directory" })
    else if (stat.isSymbolicLink()) {
      const linkName = linkText(from)
      if (linkName !== undefined) yield encodeTarHeader({ ...common, type: "symlink", linkName })
    } else yield* fileEntry(from, common)
  }
  yield Buffer.alloc(TAR_END_BYTES)
}

/** Raw; undefined of what is none any more. */
function linkText(path: string): string | undefined {
  try {
    const fd = openWithoutLinks(path, O_PATH)
    try {
      return readLinkAt(fd, "")
    } finally {
      close(fd)
    }
  } catch (error) {
    if (hasErrno(error, "ENOENT", "ENOTDIR", "ELOOP", "EINVAL")) return undefined
    throw error
  }
}

/** Header and content of a file; nothing of one that is gone since it was looked at. Throws PermissionDenied for one that may not be read. */
async function* fileEntry(path: string, common: Pick<NewTarEntry, "name" | "mode" | "mtime">): Bytes {
  let handle: FileHandle
  try {
    using found = new Held(path)
    if (!found.stat.isFile()) return
    handle = await open(found.path)
  } catch (error) {
    if (hasErrno(error, "ENOENT", "ENOTDIR", "ELOOP")) return
    throw new PermissionDenied(`cannot read "${path}" to sync it`, { cause: error })
  }
  await using _ = handle
  const { size: sizeBytes } = await handle.stat()
  yield encodeTarHeader({ ...common, type: "file", sizeBytes })
  let left = sizeBytes
  for await (const chunk of handle.createReadStream({ autoClose: false })) {
    const part = (chunk as Buffer).subarray(0, left)
    left -= part.length
    yield part
    if (left === 0) break
  }
  // it shrank meanwhile: the change that did it sends it anew
  for (; left > 0; left -= Math.min(left, ZEROS.length)) yield ZEROS.subarray(0, left)
  yield tarPadding(sizeBytes)
}

const ZEROS = Buffer.alloc(65_536)
