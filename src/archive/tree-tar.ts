import type { Bytes } from "../base/bytes.ts"
import { hasErrno, InvalidArgument, NotFound } from "../base/errors.ts"
import { TimeSlice } from "../base/time-slice.ts"
import type { NameAt } from "../sys/fs/copy-tree.ts"
import { readDirectory, statAt, statOf, type FileStat } from "../sys/fs/directory.ts"
import { isOfKernel } from "../sys/fs/kernel-files.ts"
import { shownName, rawCString } from "../sys/fs/raw-name.ts"
import { check, close, libc, OPEN_DIRECTORY } from "../sys/libc.ts"
import { LayerWriter } from "./layer-tar.ts"

const MAX_DEPTH = 512
const NOTHING = new Uint8Array(0)

/** How a tree is named in its archive, and who hears of it. */
export interface TreeTarOptions {
  /** Raw: what the top is called; `.` gives `./file`. */
  as: string
  /** Whose a file is in the archive; default: as it is. */
  ownerOf?: (owner: { uid: number; gid: number }) => { uid: number; gid: number }
  /** Times to the nanosecond, holes of files as holes (GNU tar's form): what is extracted is as it was. */
  exact?: boolean
  signal?: AbortSignal | undefined
  /** Receives the size of each file. */
  onContent?: (bytes: number) => void
}

/**
 * What has the name `source`, with all below it, as one plain tar, in chunks of about 1 MiB that are the caller's. Nothing is
 * followed; files that the kernel makes up (proc(5)) are left out. The tree may change meanwhile: what has gone is left out, and
 * the archive is whole. `source.directory` may be closed when the first chunk is there. Throws NotFound.
 */
export async function* treeTar(source: NameAt, options: TreeTarOptions): Bytes {
  const slice = new TimeSlice(options.signal)
  for (const chunk of chunksOf(source, options)) {
    if (chunk.length > 0) yield chunk
    if (slice.isOver) await slice.giveWay()
  }
}

function* chunksOf(source: NameAt, options: TreeTarOptions): Generator<Uint8Array> {
  const writer = new LayerWriter(options.onContent ?? (() => {}), options)
  if (statAt(source.directory, source.name) === undefined) throw new NotFound(`no such file: ${shownName(source.name)}`)
  yield* new TreeEntries(writer, options.ownerOf ?? ((owner) => owner)).of(source, options.as, 0)
  yield* writer.end()
}

class TreeEntries {
  readonly #writer: LayerWriter
  readonly #ownerOf: NonNullable<TreeTarOptions["ownerOf"]>

  constructor(writer: LayerWriter, ownerOf: NonNullable<TreeTarOptions["ownerOf"]>) {
    this.#writer = writer
    this.#ownerOf = ownerOf
  }

  *of({ directory, name }: NameAt, path: string, depth: number): Generator<Uint8Array> {
    yield NOTHING
    if (depth > MAX_DEPTH)
      throw new InvalidArgument(`directories are nested deeper than ${MAX_DEPTH}: ${shownName(path)}`)
    const stat = statAt(directory, name)
    if (stat === undefined) return
    if (stat.type !== "directory") return yield* this.#file({ directory, name }, path, stat)
    const fd = openUnlessGone(directory, name)
    if (fd === undefined) return
    try {
      const own = { ...statOf(fd), ...this.#ownerOf(stat) }
      yield* this.#writer.present({ kind: "present", path, name: ".", directory: fd, stat: own })
      if (isOfKernel(fd)) return
      const names = readDirectory(fd).map((entry) => entry.name)
      for (const below of names.toSorted())
        yield* this.of({ directory: fd, name: below }, `${path}/${below}`, depth + 1)
    } finally {
      close(fd)
    }
  }

  *#file({ directory, name }: NameAt, path: string, stat: FileStat): Generator<Uint8Array> {
    const own = { ...stat, ...this.#ownerOf(stat) }
    try {
      yield* this.#writer.present({ kind: "present", path, name, directory, stat: own })
    } catch (error) {
      // a link that has become something else
      if (!hasErrno(error, "ENOENT", "EINVAL")) throw error
    }
  }
}

function openUnlessGone(directory: number, name: string): number | undefined {
  try {
    return check(libc.openat(directory, rawCString(name), OPEN_DIRECTORY, 0), "open", shownName(name))
  } catch (error) {
    if (hasErrno(error, "ENOENT", "ENOTDIR", "ELOOP")) return undefined
    throw error
  }
}
