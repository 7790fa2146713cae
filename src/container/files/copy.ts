import { Cancelled, FailedPrecondition, hasErrno, InvalidArgument } from "../../base/errors.ts"
import { openRawInRoot, openRoot } from "../../sys/fs/confined.ts"
import { copyContents, copyName, type CopyTreeOptions } from "../../sys/fs/copy-tree.ts"
import { isOfKernel } from "../../sys/fs/kernel-files.ts"
import { resolveUser } from "../../sys/fs/image-users.ts"
import { close, O_DIRECTORY } from "../../sys/libc.ts"
import type { ContainerDeps } from "../deps.ts"
import { containerEvent } from "../events.ts"
import { openContainerRoot, refuseOtherIds, type ContainerRoot } from "./container-root.ts"
import type { CopyOptions, CopyPlace } from "./copy-request.ts"
import { locateSource, locateTarget, missing, type Source, type Target, type Tree } from "./locate.ts"

/** See `Containers.copy`. */
export async function copyFiles(
  deps: ContainerDeps,
  from: CopyPlace,
  to: CopyPlace,
  options: CopyOptions = {},
): Promise<void> {
  using trees = await openTrees(deps, from, to, options)
  const { source: sourceTree, target: targetTree } = trees
  using source = locateSource(sourceTree, pathOf(from), options.followLink ?? false)
  using target = locateTarget(targetTree, pathOf(to))
  if (targetTree.root !== undefined) refuseOtherIds(targetTree.root)
  tell(deps, sourceTree.root, "archive-path", pathOf(from))
  tell(deps, targetTree.root, "extract-to-dir", pathOf(to))
  await orReadable(targetTree.called, () =>
    copyTo(source, target, targetTree, pathOf(to), {
      ...ownersFor(targetTree.root, options),
      kindChange: options.overwrite ? "replace" : "refuse",
      isLive: sourceTree.root?.isLive ?? false,
      ...(options.onContent === undefined ? {} : { onContent: options.onContent }),
      signal: options.abort,
    }),
  )
}

/** An end of a copy, open. */
export interface OpenTree extends Tree {
  /** Undefined: the host. */
  root?: ContainerRoot
}

/** One of them, for who has only one. */
export function treeOf(root: ContainerRoot): OpenTree {
  return { fd: root.fd, called: `container ${root.record.name}`, root }
}

/** Both, in the order of their ids: two copies that go opposite ways do not wait for each other. */
async function openTrees(
  deps: ContainerDeps,
  from: CopyPlace,
  to: CopyPlace,
  { abort }: CopyOptions,
): Promise<Disposable & { source: OpenTree; target: OpenTree }> {
  using stack = new DisposableStack()
  const ids = [from, to].map((place) => ("container" in place ? deps.records.get(place.container).id : undefined))
  const roots = new Map<string, OpenTree>()
  for (const id of [...new Set(ids)].toSorted())
    if (id !== undefined) roots.set(id, treeOf(stack.use(await openContainerRoot(deps, id, { abort }))))
  const host = (): OpenTree => ({ fd: stack.adopt(openRoot("/"), close), called: "the host" })
  const [source = host(), target = host()] = ids.map((id) => (id === undefined ? undefined : roots.get(id)))
  const owned = stack.move()
  return { source, target, [Symbol.dispose]: () => owned.dispose() }
}

function pathOf(place: CopyPlace): string {
  return "container" in place ? place.path : place.hostPath
}

/** Docker's rules on what a target means (docker cp, "Extended description"). */
async function copyTo(
  source: Source,
  target: Target,
  tree: Tree,
  text: string,
  options: CopyTreeOptions,
): Promise<void> {
  const isDirectory = source.stat.type === "directory"
  if (target.stat?.type === "directory") {
    using directory = openDirectory(tree, target.path)
    if (!source.contentsOnly) return await copyName(source.at, { directory: directory.fd, name: source.base }, options)
    using contents = openContents(source)
    return await copyContents(contents.fd, directory.fd, { ...options, keepTop: true })
  }
  if (target.mustBeDirectory && (target.stat !== undefined || !isDirectory)) throw missing(tree, text)
  if (isDirectory && target.stat !== undefined && options.kindChange === "refuse")
    throw new InvalidArgument("destination must be a directory when copying a directory")
  await copyName(source.at, target.at, options)
}

function openDirectory({ fd: root, called }: Tree, path: string): Disposable & { fd: number } {
  const fd = openRawInRoot(root, path, O_DIRECTORY)
  if (isOfKernel(fd)) {
    close(fd)
    throw new InvalidArgument(`"/${path}" on ${called} is the kernel's own: nothing is copied into it`)
  }
  return { fd, [Symbol.dispose]: () => close(fd) }
}

function openContents({ at }: Source): Disposable & { fd: number } {
  const fd = openRawInRoot(at.directory, at.name, O_DIRECTORY)
  return { fd, [Symbol.dispose]: () => close(fd) }
}

/** Whose the copies are. */
export function ownersFor(
  root: ContainerRoot | undefined,
  { archive = false, rootOwns = false }: CopyOptions,
): Pick<CopyTreeOptions, "owner" | "dropPrivilege"> {
  if (root === undefined)
    return archive ? {} : { owner: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }, dropPrivilege: true }
  const { user } = root.record.spec.run
  if (!archive || (user === "" && !rootOwns)) return {}
  const { uid, gid } = resolveUser(`/proc/self/fd/${root.fd}`, user)
  return { owner: { uid, gid } }
}

/** Says an event of a container; of the host there are none. */
export function tell(deps: ContainerDeps, root: ContainerRoot | undefined, action: string, path: string): void {
  if (root !== undefined) deps.records.tell(containerEvent(root.record, action, { path }))
}

/** The kernel's reasons, in words. */
export async function orReadable<T>(called: string, copy: () => Promise<T>): Promise<T> {
  try {
    return await copy()
  } catch (error) {
    if (error instanceof DOMException) throw new Cancelled("the copy was cancelled", { cause: error })
    if (hasErrno(error, "EROFS")) throw new FailedPrecondition(`${called} is read-only there`, { cause: error })
    if (hasErrno(error, "EBUSY"))
      throw new FailedPrecondition(`something is mounted there on ${called}: it cannot be replaced`, { cause: error })
    if (hasErrno(error, "ELOOP", "EXDEV", "ENOTDIR", "EEXIST", "ENOENT"))
      throw new FailedPrecondition(`the files on ${called} were changed while they were copied`, {
        hint: "pause the container, or try again",
        cause: error,
      })
    throw error
  }
}
