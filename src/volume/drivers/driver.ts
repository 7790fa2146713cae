/**
 * What makes the files of volumes. The records of a volume are written before `create` and deleted after `remove`; every call is safe
 * to repeat, as it is repeated after a crash.
 */
import type { Cancellable } from "../../base/cancel.ts"
import type { VolumeOptions } from "../volume.ts"

/** A volume as its driver sees it. */
export interface DriverVolume {
  name: string
  options: VolumeOptions
  /** The store's own for it: `<root>/volumes/<name>`, made by then. */
  directory: string
  /** Random, of this volume alone. */
  storage: string
  /** Where its files are. */
  mountpoint: string
}

/** One kind of volumes. */
export interface VolumeDriver {
  /** Throws InvalidArgument, Unsupported: touches nothing. */
  validate(options: VolumeOptions): void
  /** What there must be before the first mount. Throws InvalidArgument for what is not there. */
  create(volume: DriverVolume, isNew: boolean): Promise<void>
  /** Shows the files, and gives where. `holder` tells those apart who want them at once. */
  mount(volume: DriverVolume, holder: string, options: Cancellable): Promise<string>
  /** `isLast`: nobody else holds it. */
  unmount(volume: DriverVolume, holder: string, isLast: boolean): Promise<void>
  /** Whether its volumes are the same on other machines; absent: they are this one's. */
  scope?(): Promise<"local" | "global">
  /** What it tells of one at the moment; absent: all that there is stands in the record. */
  inspect?(volume: DriverVolume, options: Cancellable): Promise<{ mountpoint: string; status: Record<string, unknown> }>
  /** What is left of it outside of `directory`. */
  remove(volume: DriverVolume): Promise<void>
}
