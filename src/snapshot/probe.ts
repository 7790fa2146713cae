import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { log } from "../base/log.ts"
import { mountAt, unmount, type Mount } from "../sys/fs/mount.ts"
import { removeTreeSync } from "../sys/fs/remove-tree.ts"
import { overlayDriver } from "./overlay.ts"
import type { LayerRow } from "./records.ts"
import type { Snapshotter } from "./snapshot.ts"

/** Tries what this host can really mount on the file system of `layers`, best first. */
export async function probeDriver(layers: string, rootless: boolean): Promise<Snapshotter["driver"]> {
  if (canMount(layers, overlayDriver({ rootless }))) return "overlay"
  const helper = findFuseOverlayfs()
  if (helper !== undefined && canMount(layers, overlayDriver({ rootless, helper }))) return "fuse-overlayfs"
  return "native"
}

/** The program's path; undefined when it or its device is missing. */
export function findFuseOverlayfs(): string | undefined {
  if (!existsSync("/dev/fuse")) return undefined
  return ["/usr/bin/fuse-overlayfs", "/usr/local/bin/fuse-overlayfs"].find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Mounts two layers, writes through the mount and takes it away again. A kill leaves a directory for `sweep`. */
function canMount(layers: string, driver: ReturnType<typeof overlayDriver>): boolean {
  const directory = mkdtempSync(join(layers, "probe-"))
  const target = join(directory, "target")
  for (const name of ["1/diff", "2/diff", "2/work", "target"]) mkdirSync(join(directory, name), { recursive: true })
  const mount: Mount = driver.mount(directory, row(2, "active"), [row(1, "committed")])
  try {
    mountAt(target, mount)
    writeFileSync(join(target, "file"), "x")
    return existsSync(join(directory, "2/diff/file"))
  } catch (error) {
    log.debug(`${driver.name} does not work here: ${String(error)}`)
    return false
  } finally {
    unmount(target)
    removeTreeSync(directory)
  }
}

function row(id: number, kind: LayerRow["kind"]): LayerRow {
  return {
    id,
    kind,
    name: String(id),
    parent_id: null,
    created_at: 0,
    opaque_root: 0,
    volatile: 0,
    owner_pid: null,
    owner_start_time: null,
    owner_boot_id: null,
  }
}
