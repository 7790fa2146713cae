import type { Bytes } from "../base/bytes.ts"
import type { Cancellable } from "../base/cancel.ts"

/**
 * Named volumes: directories of ours that outlive containers. Content under them is hostile (a container wrote it).
 * `volumes/<name>/data` on disk; a record for each.
 */
export interface Volume {
  name: string
  driver: "local"
  labels: Record<string, string>
  /** Of the driver, as they were given. */
  options: VolumeOptions
  createdAt: Date
  /** Host path of the data. */
  mountpoint: string
  /** Made without a name for one container (`-v /data`, image VOLUME): removed with it by `rm -v` and `--rm`. */
  anonymous: boolean
}

/** Options of docker's `local` driver, as they were given. */
export type VolumeOptions = Readonly<Record<string, string>>

/** Of a first mount. */
export interface CopyUpOptions extends Cancellable {
  /** Whom the program runs as. */
  owner?: { uid: number; gid: number }
  /** Nothing is copied, and the volume given to `owner` all the same. */
  withoutFiles?: boolean
}

/**
 * All volumes of a store. A record is written before its directory is made and deleted before that is removed: a crash between
 * leaves a directory that the next `create` of the name takes up, or that nothing refers to.
 */
export interface Volumes {
  list(): Volume[]
  /** Throws NotFound. */
  get(name: string): Volume
  /** Where the data of a volume of that name lies, or would: a host's directory that it binds, or one of ours; makes nothing. Throws InvalidArgument on a bad name. */
  mountpoint(name: string): string
  /** Gives the existing one when the name is taken; a directory that is missing is made. Throws InvalidArgument on a bad name. */
  create(options: {
    name?: string
    labels?: Record<string, string>
    anonymous?: boolean
    options?: VolumeOptions
  }): Volume
  /**
   * Throws FailedPrecondition while a container refers to it; the one of id `exceptFor`, which is being removed, does not
   * count. Throws NotFound, unless `force` or `exceptFor` is set: those are safe to repeat. Cancelled while its files are being
   * removed, or killed, it is gone, and the next `remove` of any volume takes the rest.
   */
  remove(name: string, options?: Cancellable & { force?: boolean; exceptFor?: string }): Promise<void>
  /**
   * First mount of an empty volume: copies the image's directory `path` of the tree `rootfs` into it, owners, modes and links
   * kept, nothing followed (CVE-2022-23648, CVE-2020-1726). A directory that is root's then, because the image has none there or gave
   * it to nobody, is given to `owner`. Does nothing when the volume has content. Cancelled or killed, the next one begins anew.
   */
  copyUp(volume: Volume, rootfs: string, path: string, options?: CopyUpOptions): Promise<void>
  /** Its files as one plain tar; it may be used meanwhile. Throws NotFound. */
  export(name: string, options?: Cancellable): Bytes
  /**
   * Extracts a tar, compressed or not, into it; nothing leads out of it. Throws NotFound, DataLoss, InvalidArgument. What was extracted
   * until it failed stays.
   */
  import(name: string, archive: Bytes, options?: Cancellable): Promise<void>
}
