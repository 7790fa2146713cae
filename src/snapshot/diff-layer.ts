import { mkdtempSync, rmdirSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { layerTar, type TreeForm } from "../archive/archive.ts"
import type { Bytes } from "../base/bytes.ts"
import { mountAt, unmount } from "../sys/mount.ts"
import { rootlessUid } from "../sys/paths.ts"
import type { ChainId } from "../spec/digest.ts"
import type { Snapshotter } from "./snapshot.ts"

/**
 * What the snapshot `name`, active or committed, changes of its parent, as an uncompressed layer: the same bytes each time.
 * Mounts the parent while it is read. The snapshot may be mounted and in use meanwhile. Throws NotFound.
 */
export async function* diffLayer(snapshots: Snapshotter, name: string): Bytes {
  const { parent } = snapshots.info(name)
  const changed = snapshots.diffPath(name)
  if (parent === undefined) return yield* layerTar({ changed, form: formOf(snapshots.driver) })
  await using base = await mountView(snapshots, parent)
  yield* layerTar({ changed, base: base.path, form: formOf(snapshots.driver) })
}

function formOf(driver: Snapshotter["driver"]): TreeForm {
  if (driver === "native") return { kind: "whole" }
  if (driver === "fuse-overlayfs") return { kind: "fuse-overlayfs" }
  return { kind: "overlay", space: rootlessUid() === undefined ? "trusted" : "user" }
}

/** Mounts the committed snapshot `name` read-only on a folder made for it, until disposed. Throws NotFound. */
export async function mountView(
  snapshots: Snapshotter,
  name: ChainId,
): Promise<AsyncDisposable & { readonly path: string }> {
  await using undo = new AsyncDisposableStack()
  const path = mkdtempSync(join(tmpdir(), "skiff-view-"))
  undo.defer(() => rmdirSync(path))
  const key = `view ${process.pid} ${path}`
  const mount = await snapshots.view(key, name)
  undo.defer(() => snapshots.remove(key))
  mountAt(path, mount)
  undo.defer(() => void unmount(path))
  const owned = undo.move()
  return { path, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
