import { mkdirSync } from "node:fs"
import { FailedPrecondition, hasErrno, InvalidArgument, isSkiffError } from "../../base/errors.ts"
import type { Images } from "../../image/image.ts"
import type { Snapshotter } from "../../snapshot/snapshot.ts"
import { isMountPoint, mountAt, unmountAll } from "../../sys/fs/mount.ts"
import type { VolumeOptions } from "../volume.ts"
import type { DriverVolume, VolumeDriver } from "./driver.ts"
import { ownPath } from "./local.ts"

/** What the driver is handed. */
export interface ImageDriverDeps {
  images(): Promise<Images>
  snapshots(): Promise<Snapshotter>
}

/** Volumes that begin as the files of an image; what is written lies in a layer of the volume's own, the image stays as it is. */
export function imageDriver({ images, snapshots }: ImageDriverDeps): VolumeDriver {
  return {
    validate: (options) => void imageOf(options),

    async create({ options, directory, storage }) {
      makeDirectory(ownPath(directory))
      if (isThere(await snapshots(), imageVolumeKey(storage))) return
      const { topLayer } = (await images()).get(imageOf(options))
      if (topLayer === undefined)
        throw new FailedPrecondition(`image "${imageOf(options)}" has no files to mount`, { field: "options" })
      await prepare(await snapshots(), imageVolumeKey(storage), topLayer)
    },

    async mount({ directory, storage }) {
      const path = ownPath(directory)
      if (!isMountPoint(path)) mountAt(path, (await snapshots()).mount(imageVolumeKey(storage)))
      return path
    },

    async unmount({ directory }, _holder, isLast) {
      if (isLast) unmountAll(ownPath(directory))
    },

    async remove({ directory, storage }: DriverVolume) {
      unmountAll(ownPath(directory))
      await (await snapshots()).remove(imageVolumeKey(storage))
    },
  }
}

/** The layer that a volume of this driver has. */
export function imageVolumeKey(storage: string): string {
  return `volume-${storage}`
}

/** Removes the layers of volumes that are gone: what a killed removal left. The record of one is there before its layer is. */
export async function removeImageLayers(snapshots: Snapshotter, known: ReadonlySet<string>): Promise<void> {
  for (const { name } of snapshots.list()) {
    const [, storage] = /^volume-([0-9a-f]{64})$/.exec(name) ?? []
    if (storage !== undefined && !known.has(storage)) await snapshots.remove(name)
  }
}

function isThere(snapshots: Snapshotter, key: string): boolean {
  try {
    snapshots.info(key)
    return true
  } catch (error) {
    if (isSkiffError(error, "NotFound")) return false
    throw error
  }
}

async function prepare(
  snapshots: Snapshotter,
  key: string,
  layer: Parameters<Snapshotter["prepare"]>[1],
): Promise<void> {
  try {
    await snapshots.prepare(key, layer)
  } catch (error) {
    if (!isSkiffError(error, "AlreadyExists")) throw error
  }
}

function imageOf(options: VolumeOptions): string {
  const { image, ...others } = options
  if (image === undefined || image === "")
    throw new InvalidArgument("a volume of the image driver needs its image", { field: "options", hint: "image=NAME" })
  const [unknown] = Object.keys(others)
  if (unknown !== undefined)
    throw new InvalidArgument(`unknown volume option "${unknown}"`, { field: "options", hint: { valid: ["image"] } })
  return image
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o755 })
  } catch (error) {
    if (!hasErrno(error, "EEXIST")) throw error
  }
}
