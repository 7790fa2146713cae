import { posix } from "node:path"
import { FailedPrecondition, hasErrno, InvalidArgument } from "../../base/errors.ts"
import type { OciMount } from "../../spec/oci-runtime.ts"
import { readLinkInRoot, resolveInTree, statInRoot, type PathTree } from "../../sys/fs/confined-path.ts"
import { openRoot } from "../../sys/fs/confined.ts"
import type { FileType } from "../../sys/fs/directory.ts"
import { close } from "../../sys/libc.ts"
import { rawName } from "../../sys/fs/raw-name.ts"

/** The runtime's own mounts: what an image has there is not seen. */
const KERNEL_MOUNTS = ["proc", "sys", "dev"]

/**
 * Finds where each mount goes when all links on the way are followed inside the root, and gives the mounts with these
 * targets: what a runtime gets has no link left in it. crun follows links of the image by itself, so that `/link/sys` with
 * `/link -> /proc` comes to lie over /proc, its masks with it (docs/design/014-mount-targets.md). The mounts are taken in
 * their order, and a path goes on through those before it. Throws InvalidArgument for a target that a link leads to the root
 * itself or to what is the kernel's, FailedPrecondition where a file stands in the way.
 */
export function resolveMountTargets(rootfs: string, mounts: readonly OciMount[]): OciMount[] {
  if (mounts.length === 0) return []
  using tree = new MountedTree(rootfs)
  return mounts.map((mount) => {
    const destination = resolveTarget(tree, mount.destination)
    tree.add(destination, mount)
    return destination === mount.destination ? mount : { ...mount, destination }
  })
}

function resolveTarget(tree: MountedTree, destination: string): string {
  // no path: refused with all others of its kind (config.ts)
  if (!destination.startsWith("/") || destination.includes("\0")) return destination
  const given = posix.resolve("/", destination)
  const target = `/${textOf(follow(tree, given))}`
  if (target !== given && (target === "/" || isKernels(target)))
    throw new InvalidArgument(`the mount target "${given}" leads to "${target}" by a link of the image`, {
      hint: "mount it elsewhere; the image is broken or hostile",
    })
  return target
}

function follow(tree: MountedTree, path: string): string {
  try {
    return resolveInTree(tree, rawName(path)).path
  } catch (error) {
    if (!hasErrno(error, "ENOTDIR", "ELOOP")) throw error
    const why = hasErrno(error, "ELOOP") ? "its links form a loop" : "a file of the image is in the way"
    throw new FailedPrecondition(`nothing can be mounted at "${path}": ${why}`, { cause: error })
  }
}

/** Shared memory is the container's own. */
function isKernels(target: string): boolean {
  if (isBelow(target, "/dev/shm")) return false
  return KERNEL_MOUNTS.some((name) => isBelow(target, `/${name}`))
}

const isBelow = (path: string, parent: string): boolean => path === parent || path.startsWith(`${parent}/`)

/** config.json is UTF-8: a link to a name that is not cannot be told in it. */
function textOf(raw: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(raw, "latin1"))
  } catch {
    throw new InvalidArgument("a link of the image leads a mount to a name that is no UTF-8")
  }
}

interface Looked {
  type: FileType
}

/** The root with mounts on it, of which nothing is mounted yet. */
class MountedTree implements PathTree<Looked>, Disposable {
  readonly #rootFd: number
  /** By raw paths; without a descriptor: an empty directory, or a file. */
  readonly #mounts = new Map<string, { fd?: number; type: FileType }>(
    KERNEL_MOUNTS.map((name) => [name, { type: "directory" }]),
  )

  constructor(rootfs: string) {
    this.#rootFd = openRoot(rootfs)
  }

  add(target: string, { type, source = "" }: OciMount): void {
    const path = rawName(target).slice(1)
    for (const [other, { fd }] of this.#mounts)
      if (isBelow(other, path)) {
        if (fd !== undefined) close(fd)
        this.#mounts.delete(other)
      }
    this.#mounts.set(path, type === "bind" ? openSource(source) : { type: "directory" })
  }

  stat(path: string): Looked | undefined {
    const { fd, type, rest } = this.#at(path)
    if (rest === "") return { type }
    return fd === undefined ? undefined : statInRoot(fd, rest)
  }

  readLink(path: string): string {
    const { fd = this.#rootFd, rest } = this.#at(path)
    return readLinkInRoot(fd, rest)
  }

  #at(path: string): { fd?: number; type: FileType; rest: string } {
    // the longest prefix; mounts are few
    let found = ""
    for (const mount of this.#mounts.keys()) if (isBelow(path, mount) && mount.length > found.length) found = mount
    const mount = this.#mounts.get(found)
    if (mount === undefined) return { fd: this.#rootFd, type: "directory", rest: path }
    return { ...mount, rest: path.slice(found.length + 1) }
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#mounts.values()) if (fd !== undefined) close(fd)
    close(this.#rootFd)
  }
}

function openSource(source: string): { fd?: number; type: FileType } {
  try {
    return { fd: openRoot(source), type: "directory" }
  } catch (error) {
    if (hasErrno(error, "ENOTDIR")) return { type: "file" }
    throw error
  }
}
