import { mkdtempSync, rmdirSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TreeChangesOptions, TreeForm } from "../archive/archive.ts"
import { openRoot } from "../sys/fs/confined.ts"
import { close } from "../sys/libc.ts"
import { mountOrFind, unmount, type Mount } from "../sys/fs/mount.ts"
import { rootlessUid } from "../sys/fs/paths.ts"
import type { LayerDiff, Snapshotter } from "./snapshot.ts"

/** Two trees, and how the changed one tells deletions. */
export interface ReadLayerOptions {
  /** Host path, or what to mount. */
  changed: string | Mount
  base: Mount | undefined
  form: TreeForm
  leaveOutEmpty?: ReadonlySet<string> | undefined
  signal?: AbortSignal | undefined
}

/** The layer of two trees; what has to be mounted for it is so only while it is read. */
export function readLayer(options: ReadLayerOptions): LayerDiff {
  let contentBytes = 0
  const hidden = new Map<string, number>()
  async function* read(): AsyncGenerator<Uint8Array> {
    const { layerTar } = await import("../archive/archive.ts")
    using trees = openTrees(options)
    const { leaveOutEmpty, signal } = options
    yield* layerTar({
      ...trees.paths,
      leaveOutEmpty,
      signal,
      onContent: (bytes) => void (contentBytes += bytes),
      onHidden: (path, bytes) => void hidden.set(path, bytes),
    })
  }
  return {
    get contentBytes() {
      return contentBytes
    },
    hidden,
    [Symbol.asyncIterator]: read,
  }
}

/** Both trees, those that have to be mounted as well, until it is disposed of. */
export function openTrees({ changed, base, form }: ReadLayerOptions): Disposable & { paths: TreeChangesOptions } {
  using fds = new DisposableStack()
  const pathOf = (mount: Mount): string => `/proc/self/fd/${fds.adopt(mountHidden(mount), close)}`
  const paths = {
    changed: typeof changed === "string" ? changed : pathOf(changed),
    ...(base === undefined ? {} : { base: pathOf(base) }),
    form,
  }
  const owned = fds.move()
  return { paths, [Symbol.dispose]: () => owned.dispose() }
}

/** What a mount shows, at a path that only this process sees, until it is disposed of. */
export function openMount(mount: Mount): Disposable & { path: string } {
  const fd = mountHidden(mount)
  return { path: `/proc/self/fd/${fd}`, [Symbol.dispose]: () => close(fd) }
}

/** How a driver's `diff` directories tell changes. */
export function formOf(driver: Snapshotter["driver"]): TreeForm {
  if (driver === "native") return { kind: "whole" }
  if (driver === "fuse-overlayfs") return { kind: "fuse-overlayfs" }
  return { kind: "overlay", space: rootlessUid() === undefined ? "trusted" : "user" }
}

/**
 * The root of a mount that has no place in the tree any more: it lives as long as this descriptor, so that a kill leaves
 * nothing mounted (umount(2), MNT_DETACH). The caller closes it.
 */
function mountHidden(mount: Mount): number {
  const path = mkdtempSync(join(tmpdir(), "skiff-view-"))
  try {
    const seen = mountOrFind(path, mount)
    try {
      return openRoot(seen)
    } finally {
      unmount(path)
    }
  } finally {
    rmdirSync(path)
  }
}
