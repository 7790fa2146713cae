import type { Bytes } from "../base/bytes.ts"
import type { Cancellable } from "../base/cancel.ts"
import type { OnProgress } from "../base/progress.ts"
import type { RegistryAccess } from "../registry/registry.ts"
import type { Digest } from "../spec/digest.ts"

/**
 * Named volumes: directories of ours that outlive containers. Content under them is hostile (a container wrote it).
 * `volumes/<name>/data` on disk; a record for each.
 */
export interface Volume {
  name: string
  /** `local`, `image`, or a plugin's name. */
  driver: string
  labels: Record<string, string>
  /** Of the driver, as they were given. */
  options: VolumeOptions
  createdAt: Date
  /** Host path of the data; "" where a plugin has them, and nobody uses them. */
  mountpoint: string
  /** Made without a name for one container (`-v /data`, image VOLUME): removed with it by `rm -v` and `--rm`. */
  anonymous: boolean
  /** Its files are to be seen only while somebody holds it. */
  isMounted: boolean
  /** Whether the same volume is on other machines: a plugin says so. */
  scope: "local" | "global"
  /** Of a layer that it has; "" when it has none. */
  storageId: string
}

/** A volume, and what its files are at the moment. */
export interface VolumeDetails extends Volume {
  /** How many have it mounted; 0 of one that is not mounted. */
  mountCount: number
  /** Of its directory; root's where there is none yet. */
  owner: { uid: number; gid: number }
  /** The first container that mounts it fills it from its image, and gives it to its user. */
  isFresh: boolean
  /** What a plugin tells of it, as it tells it; empty of others, and where the plugin does not answer. */
  status: Readonly<Record<string, unknown>>
}

/** How a volume is made. */
export interface NewVolume {
  name?: string
  /** Undefined: `local` for a new one, and whichever an existing one has. */
  driver?: string
  labels?: Readonly<Record<string, string>>
  anonymous?: boolean
  options?: VolumeOptions
}

/** What `reload` found. */
export interface ReloadReport {
  added: string[]
  removed: string[]
  /** Of plugins that could not be asked. */
  failures: unknown[]
}

/** Options of a driver, as they were given. */
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
  readonly snapshots: VolumeSnapshots
  list(): Volume[]
  /** Throws NotFound. */
  get(name: string): Volume
  /** Where the data of a volume of that name lies, or would: a host's directory that it binds, or one of ours; makes nothing. Throws InvalidArgument on a bad name. */
  mountpoint(name: string): string
  /**
   * Gives the existing one when the name is taken; a directory that is missing is made. Throws InvalidArgument on a bad name or option,
   * NotFound for an unknown driver, AlreadyExists when the existing one has another. Killed half way, it is made whole by the next one.
   */
  create(options: NewVolume): Promise<Volume>
  /** Throws NotFound, AlreadyExists, FailedPrecondition while a container refers to it, Unsupported of a plugin's. */
  rename(name: string, to: string): Promise<void>
  /**
   * Mounts what has to be mounted, until each holder has released it; gives where the files are. Safe to repeat; with `again` one more hold
   * counts.
   */
  hold(name: string, holder: string, options?: Cancellable & { again?: boolean }): Promise<string>
  /** False when `holder` held nothing. Safe to repeat, also when the volume is gone. */
  release(name: string, holder: string): Promise<boolean>
  /** Throws NotFound. */
  details(name: string, options?: Cancellable): Promise<VolumeDetails>
  /** What it takes of the store, its snapshots too: nothing, where its files lie elsewhere. Throws NotFound, the signal's reason. */
  usage(name: string, options?: Cancellable): Promise<{ bytes: number }>
  /** Brings the records of plugins' volumes in line with what the plugins have. */
  reload(options?: Cancellable): Promise<ReloadReport>
  /**
   * Throws FailedPrecondition while a container refers to it; the one of id `exceptFor`, which is being removed, does not
   * count. Throws NotFound, unless `force` or `exceptFor` is set: those are safe to repeat. With `force` a plugin's is forgotten also when
   * the plugin cannot be asked. Cancelled while its files are being removed, or killed, it is gone, and the next `remove` of any volume
   * takes the rest.
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
  /**
   * Sends its files to a registry, as an artifact of parts; those that the tag's last push had are not sent again. Nothing is kept here:
   * killed, the next push goes on with what the registry has. Throws NotFound, PermissionDenied, Unavailable.
   */
  push(name: string, to: string, options?: VolumePushOptions): Promise<PushedVolume>
  /**
   * Makes the files of a volume, new or empty, those of an artifact, in one step. Throws NotFound, Unsupported for what is no volume,
   * FailedPrecondition for one that has files or runs unless `force` is set, and DataLoss, InvalidArgument and FailedPrecondition
   * for an artifact that is broken, hostile, or not for this user. Nothing of it is there then.
   */
  pull(reference: string, options?: VolumePullOptions): Promise<PulledVolume>
}

/** How a volume is pushed. */
export interface VolumePushOptions extends Cancellable, RegistryAccess {
  /** Programs that use it stand still while a copy is made, which is pushed. */
  freeze?: boolean
  /** Of a snapshot, in the place of the volume as it is. */
  snapshot?: string
  onProgress?: OnProgress
}

/** What was sent. */
export interface PushedVolume {
  reference: string
  digest: Digest
  parts: number
  /** Which the registry did not have. */
  sentParts: number
  /** Of those, compressed. */
  sentBytes: number
  /** Of the archive. */
  tarBytes: number
}

/** How a volume is pulled. */
export interface VolumePullOptions extends Cancellable, RegistryAccess {
  /** Default: what it was called where it was pushed. */
  name?: string
  force?: boolean
  onProgress?: OnProgress
}

/** What came. */
export interface PulledVolume {
  name: string
  reference: string
  digest: Digest
  files: number
  tarBytes: number
}

/** A volume as it was at a time. It goes with the volume; what is to outlive that is pushed. */
export interface VolumeSnapshot {
  volume: string
  name: string
  createdAt: Date
  /** Of a list: what it takes on disk, blocks counted that it shares with the volume. */
  sizeBytes?: number
  files?: number
}

/**
 * Snapshots of volumes: files with owners, modes, times, attributes, holes, links and devices, by reflink where the file system can. Each
 * throws NotFound; Unsupported of a volume that is a directory of the host. Killed at any step, a change is made whole or not at all.
 */
export interface VolumeSnapshots {
  /** In the order of their making. */
  list(volume: string): Promise<VolumeSnapshot[]>
  /**
   * `freeze`: programs that use the volume stand still meanwhile; without it each file is as it was when it was read. Throws
   * AlreadyExists, Unsupported where nothing can be frozen.
   */
  create(volume: string, options?: Cancellable & { snapshot?: string; freeze?: boolean }): Promise<VolumeSnapshot>
  /**
   * The volume's data become those of the snapshot, in one step; the snapshot stays. Throws FailedPrecondition while a container runs
   * with it, unless `force` is set: that one sees the old files, which are being removed, until it is started again.
   */
  restore(volume: string, snapshot: string, options?: Cancellable & { force?: boolean }): Promise<void>
  remove(volume: string, snapshot: string, options?: Cancellable): Promise<void>
}

/** Of volumes and snapshots: safe to become a directory's name. */
export const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/
