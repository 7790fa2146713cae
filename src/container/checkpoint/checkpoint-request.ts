/** Checkpoints and restores, as the contract shows them. */
import type { Bytes } from "../../base/bytes.ts"
import type { CriuStats } from "../../runtime/runtime.ts"
import type { PortMapping } from "../../spec/docker/port-mapping.ts"

interface Both {
  /** Connections by TCP are kept; the container has to get the same addresses. */
  tcpEstablished?: boolean
  fileLocks?: boolean
  abort?: AbortSignal | undefined
}

/** How a container is written down. */
export interface CheckpointOptions extends Both {
  /** It goes on afterwards. Default: it ends. */
  leaveRunning?: boolean
  /** Its memory alone, for a later checkpoint `withPrevious` to be shorter; it goes on. */
  preCheckpoint?: boolean
  withPrevious?: boolean
  /** The name of one of several; default: the one that `restore` takes. */
  checkpoint?: CheckpointName
  /** Receives all that another machine needs, as a plain tar, before the container may go. */
  export?: CheckpointExport
  /** CRIU's log and figures stay. */
  keep?: boolean
}

/** One of the checkpoints of a container: by its name, in its own files or in a directory of the host's. */
export interface CheckpointName {
  name: string
  directory?: string
}

/** What of a container goes along. */
export interface CheckpointExport {
  write(archive: Bytes): Promise<void>
  ignoreRootfs?: boolean
  ignoreVolumes?: boolean
}

/** What was done. Times in microseconds. */
export interface CheckpointResult {
  id: string
  /** For how long its programs stood still, by CRIU's count; undefined where it keeps none. */
  frozenMicroseconds?: number
  runtimeMicroseconds: number
  stats: CriuStats
}

/** How a container is made to run again. */
export interface RestoreOptions extends Both {
  checkpoint?: CheckpointName
  ignoreStaticIp?: boolean
  ignoreStaticMac?: boolean
  /** The checkpoint and CRIU's log and figures stay. */
  keep?: boolean
}

/** How a container is made of an archive. */
export interface ImportOptions extends RestoreOptions {
  /** Default: as it was called. */
  name?: string
  ignoreRootfs?: boolean
  ignoreVolumes?: boolean
  /** The archive of the pre-checkpoint that this one builds on. */
  previous?: Bytes
  /** In place of those that it had. */
  ports?: readonly PortMapping[]
  /** What the archive asks for of the host is given: directories, devices, privileges. Default: refused, by name. */
  trust?: boolean
}

/** The checkpoints of one container, and of all. */
export interface ContainerCheckpoints {
  /**
   * Writes a running container down, and ends it. Throws Unsupported where the host cannot, FailedPrecondition when it does not run
   * or CRIU refuses: it runs on then.
   */
  create(nameOrId: string, options?: CheckpointOptions): Promise<CheckpointResult>
  /** Goes on from there. Throws FailedPrecondition when it runs, NotFound without a checkpoint; it stays as it was then. */
  restore(nameOrId: string, options?: RestoreOptions): Promise<CheckpointResult>
  /**
   * Makes a container of an exported checkpoint, whoever made that: what it asks for of the host is refused unless `trust` is set. Throws
   * InvalidArgument, DataLoss, NotFound for its image; nothing is left then.
   */
  import(archive: Bytes, options?: ImportOptions): Promise<CheckpointResult>
  /** Of those with names. Throws NotFound. */
  list(nameOrId: string, directory?: string): Promise<string[]>
  /** Throws NotFound. */
  remove(nameOrId: string, checkpoint: CheckpointName): Promise<void>
}
