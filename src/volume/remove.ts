import type { Cancellable } from "../base/cancel.ts"
import { throwIfAborted } from "../base/cancel.ts"
import { crashPoint } from "../base/crash-point.ts"
import { isSkiffError } from "../base/errors.ts"
import { log } from "../base/log.ts"
import type { VolumeDriver } from "./drivers/driver.ts"
import { removeImageLayers, type ImageDriverDeps } from "./drivers/image.ts"
import type { VolumeHolds } from "./holds.ts"
import type { VolumeRecords } from "./records.ts"
import { removeDirectory } from "./removal.ts"
import { usedVolume } from "./used-volume.ts"
import type { Volume } from "./volume.ts"

/** What removing is handed. */
export interface RemoveDeps extends Pick<ImageDriverDeps, "snapshots"> {
  records: VolumeRecords
  holds: VolumeHolds
  /** Holds a directory for each volume. */
  directory: string
  /** By its own name. */
  openDriver(driver: string): Promise<VolumeDriver>
  usedBy(name: string): readonly { id: string; name: string }[]
}

/** See `Volumes.remove`. */
export interface RemoveVolumeOptions extends Cancellable {
  force?: boolean
  exceptFor?: string | undefined
}

/**
 * Of the store's own volumes the record goes first, while nobody can begin to use it: what is left on disk after a crash nobody refers to.
 * A plugin is asked first: when it refuses, the volume stays.
 */
export async function removeVolume(deps: RemoveDeps, name: string, options: RemoveVolumeOptions = {}): Promise<void> {
  const { records, directory } = deps
  const { force = false, exceptFor, signal } = options
  throwIfAborted(signal, `the removal of volume "${name}"`)
  const volume = force || exceptFor !== undefined ? records.find(name) : records.get(name)
  if (volume !== undefined) {
    const refuseUsed = (): void => {
      const users = deps.usedBy(name).filter(({ id }) => id !== exceptFor)
      if (users.length > 0) throw usedVolume(name, users)
    }
    refuseUsed()
    const isPlugins = volume.driver !== "local" && volume.driver !== "image"
    const given = records.forDriver(name)
    if (isPlugins) await removeFromPlugin(deps, volume, force)
    crashPoint("volume:taken-down")
    records.delete(name, refuseUsed)
    crashPoint("volume:forgotten")
    if (!isPlugins) await (await deps.openDriver(volume.driver)).remove(given)
    if (volume.driver === "image") await removeImageLayers(await deps.snapshots(), records.storages())
  }
  await removeDirectory(directory, name, { signal, isKnown: (one) => records.owns(one) })
}

/** Forced, it is forgotten also where its plugin is gone, or will not let it go. */
async function removeFromPlugin(
  { records, holds, openDriver }: RemoveDeps,
  { name, driver: plugin }: Volume,
  force: boolean,
): Promise<void> {
  try {
    const driver = await openDriver(plugin)
    await holds.releaseAll(name)
    await driver.remove(records.forDriver(name))
  } catch (error) {
    if (!force || !isSkiffError(error)) throw error
    log.warn(`the plugin of volume "${name}" may still have it`, { reason: error.message })
  }
}
