import { InvalidArgument } from "../base/errors.ts"
import { openRoot } from "../sys/fs/confined.ts"
import { birthTimeOf, isWhiteout, readDirectory, statAt, type FileStat } from "../sys/fs/directory.ts"
import { close, libc, OPEN_DIRECTORY } from "../sys/libc.ts"
import { checkNamed, rawCString, shownName } from "../sys/fs/raw-name.ts"
import { attributesOf, isSameFile, type ComparedTree } from "./same-file.ts"

const MAX_DEPTH = 512

/** What a changed directory is, beside its base. */
export type TreeForm =
  /** Whole: what it lacks of the base has been deleted. */
  | { kind: "whole" }
  /** An overlay's upper directory (overlayfs.rst, "whiteouts and opaque directories"), with overlay's attributes in this space. */
  | { kind: "overlay"; space: "trusted" | "user" }
  /** The same by fuse-overlayfs, which writes `.wh.` files where it may make no device. */
  | { kind: "fuse-overlayfs" }

/** One difference. Paths are raw, relative to the root. */
export type TreeChange =
  /** No difference, so that whoever asks may pause; also between the entries of a directory that has none. */
  | { kind: "same" }
  | { kind: "deleted"; path: string; hides: Hidden }
  /** Made or altered, or a directory above such a one. `directory` is its parent, open until the next change is asked for. */
  | {
      kind: "present"
      path: string
      name: string
      directory: number
      stat: FileStat
      hides?: Hidden
      /** What the base has there. */
      before?: FileStat
    }

/** What the base has there, and the change takes away. `directory` is its parent in the base. */
export interface Hidden {
  directory: number
  name: string
  stat: FileStat
}

/** Which trees are compared. */
export interface TreeChangesOptions {
  /** Host path of the changed tree: hostile. */
  changed: string
  /** Host path of the tree it began as; undefined: empty. */
  base?: string
  form: TreeForm
}

/**
 * The differences of two trees, as buildkit's overlay differ tells them (util/overlay): in the order of their names; a
 * directory that differs in nothing is given only when something below it is; an opaque directory becomes whiteouts of what the
 * base has there. The roots themselves are not compared. Nothing is followed.
 */
export function* treeChanges(options: TreeChangesOptions): Generator<TreeChange> {
  using fds = new DisposableStack()
  const changed = openForReading(fds, options.changed)
  const base = options.base === undefined ? undefined : openForReading(fds, options.base)
  const isWhole = options.form.kind === "whole" || opaque(changed, options.form)
  yield* new TreeWalk(options, birthTimeOf(changed)).directory({
    changed,
    base,
    isWhole,
    path: "",
    depth: 0,
    isYielded: true,
  })
}

function openForReading(fds: DisposableStack, path: string): number {
  const root = fds.adopt(openRoot(path), close)
  return fds.adopt(openChild(root, "."), close)
}

function openChild(directory: number, name: string): number {
  return checkNamed(libc.openat(directory, rawCString(name), OPEN_DIRECTORY, 0), "open", name)
}

/** A directory being walked. */
interface Visit {
  changed: number
  base: number | undefined
  isWhole: boolean
  path: string
  depth: number
  /** Whether the directory itself has been yielded. */
  isYielded: boolean
  above?: Visit
  self?: TreeChange & { kind: "present" }
}

class TreeWalk {
  readonly #form: TreeForm
  readonly #tree: ComparedTree
  /** Of what stands alone, such names may be of files; fuse-overlayfs writes its own marks so. */
  readonly #isLayer: boolean

  constructor({ form, base }: TreeChangesOptions, madeAt: bigint | undefined) {
    this.#form = form
    this.#isLayer = form.kind === "overlay" || (form.kind === "whole" && base !== undefined)
    this.#tree = { isWhole: form.kind === "whole", madeAt }
  }

  *directory(visit: Visit): Generator<TreeChange> {
    if (visit.depth > MAX_DEPTH)
      throw new InvalidArgument(`directories are nested deeper than ${MAX_DEPTH}: ${shownName(visit.path)}`)
    for (const name of this.#names(visit)) {
      const path = visit.path === "" ? name : `${visit.path}/${name}`
      const found = statAt(visit.changed, name)
      const stat = found !== undefined && isWhiteout(found) ? undefined : found
      const before = visit.base === undefined ? undefined : statAt(visit.base, name)
      if (stat !== undefined) yield* this.#present(visit, name, path, stat, before)
      // a whiteout of what the base does not have says nothing
      else if (before !== undefined && (found !== undefined || visit.isWhole || this.#hasWhiteoutFile(visit, name)))
        yield* withParents(visit, {
          kind: "deleted",
          path,
          hides: { directory: visit.base ?? -1, name, stat: before },
        })
    }
  }

  *#present(
    visit: Visit,
    name: string,
    path: string,
    stat: FileStat,
    before: FileStat | undefined,
  ): Generator<TreeChange> {
    if (stat.type === "socket") return
    if (this.#isLayer && name.startsWith(WHITEOUT)) throw notRepresentable(path)
    const isReplaced = before !== undefined && !(before.type === "directory" && stat.type === "directory")
    const hides = isReplaced ? { directory: visit.base ?? -1, name, stat: before } : undefined
    const self = { kind: "present", path, name, directory: visit.changed, stat, hides, before } as const
    const isSame = before !== undefined && isSameFile(visit.changed, visit.base ?? -1, name, stat, before, this.#tree)
    if (isSame) yield SAME
    else yield* withParents(visit, self)
    if (stat.type !== "directory") return
    using fds = new DisposableStack()
    const changed = fds.adopt(openChild(visit.changed, name), close)
    const base = before?.type === "directory" ? fds.adopt(openChild(visit.base ?? -1, name), close) : undefined
    const isWhole = visit.isWhole || opaque(changed, this.#form)
    yield* this.directory({
      changed,
      base,
      isWhole,
      path,
      depth: visit.depth + 1,
      isYielded: !isSame,
      above: visit,
      self,
    })
  }

  /** In the order of their bytes, which is that of raw names. */
  #names({ changed, base, isWhole }: Visit): string[] {
    const listed = readDirectory(changed).map(({ name }) => name)
    const names = new Set(listed)
    if (this.#form.kind === "fuse-overlayfs")
      for (const name of listed)
        if (name.startsWith(WHITEOUT)) {
          names.delete(name)
          if (name !== OPAQUE_FILE) names.add(name.slice(WHITEOUT.length))
        }
    if (isWhole && base !== undefined) for (const { name } of readDirectory(base)) names.add(name)
    return [...names].toSorted()
  }

  #hasWhiteoutFile({ changed }: Visit, name: string): boolean {
    return this.#form.kind === "fuse-overlayfs" && statAt(changed, `${WHITEOUT}${name}`) !== undefined
  }
}

/** The change, after the directories above it that were not given yet: a layer names the parents of its files. */
function* withParents(visit: Visit, change: TreeChange): Generator<TreeChange> {
  if (!visit.isYielded) {
    visit.isYielded = true
    if (visit.above !== undefined && visit.self !== undefined) yield* withParents(visit.above, visit.self)
  }
  yield change
}

const SAME: TreeChange = { kind: "same" }
const WHITEOUT = ".wh."
const OPAQUE_FILE = ".wh..wh..opq"

function opaque(directory: number, form: TreeForm): boolean {
  if (form.kind === "whole") return true
  if (form.kind === "overlay")
    return attributesOf(
      directory,
      // an ordinary user's container with other ids is written by fuse-overlayfs
      (name) =>
        name === `${form.space}.overlay.opaque` || (form.space === "user" && name === "user.fuseoverlayfs.opaque"),
    )
      .values()
      .some((value) => value.toString() === "y")
  const marks = attributesOf(directory, (name) =>
    /^(trusted\.overlay|user\.overlay|user\.fuseoverlayfs)\.opaque$/.test(name),
  )
  return marks.values().some((value) => value.toString() === "y") || statAt(directory, OPAQUE_FILE) !== undefined
}

/** image-spec layer.md#whiteouts: such a name would delete another file wherever the layer is taken. */
function notRepresentable(path: string): InvalidArgument {
  return new InvalidArgument(`the file ${shownName(path)} cannot be put into a layer: names with .wh. mean deletions`, {
    hint: "give it another name, or remove it in the same step",
  })
}
