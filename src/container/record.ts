/** What is written down of a container: one row. Times are milliseconds since the epoch. */
import type { PortChanges } from "./changes.ts"
import type { Ending, SentSignal } from "./ended/ending.ts"
import type { ChainId, Digest } from "../spec/digest.ts"
import type { ChildrenUsage } from "../sys/process/children-usage.ts"
import type { EndpointTraffic } from "../network/network.ts"
import type { ProcessIdentity } from "../sys/process/process-identity.ts"
import type { Pid, StartTime } from "../sys/process/process.ts"
import type {
  ContainerId,
  Resources,
  GivenSecret,
  ResolvedOptions,
  MountPoint,
  NetworkAttachment,
  RunParameters,
} from "./container.ts"
import type { HealthStatus } from "./health/health.ts"

/** Fixed at create, but for what an update changes. */
export interface ContainerSpec {
  imageName: string
  /** The snapshot that the writable layer stands on. */
  topLayer?: ChainId
  options: ResolvedOptions
  run: RunParameters
  mounts: readonly MountPoint[]
  /** Absent: none. */
  secrets?: readonly GivenSecret[]
  runtime: string
  /** Only for drivers that write a file. */
  logPath?: string
}

/** What was written down last; `starting` and `removing` are under way, or were when their process was killed. */
export type RecordStatus =
  "created" | "initialized" | "starting" | "running" | "paused" | "restarting" | "exited" | "removing"

/** Changes with the life cycle. */
export interface RecordState {
  /** Of the boot that the run state belongs to. */
  bootId?: string
  pid?: Pid
  /** Tells `pid` from a later process of the same number. */
  pidStartTime?: StartTime
  /** `mnt:[4026532201]`, where the pid namespace is shared: it tells whose processes are this container's. */
  mountNamespace?: string
  /** The ids that are this container's alone, from its first start on: of the engine's user namespace. */
  idRange?: { first: number; count: number }
  monitorPid?: Pid
  monitorStartTime?: StartTime
  /** The account that started it. */
  startedBy?: number
  /** What the monitor's children had used before the program began, where no cgroup counts. */
  usageBefore?: ChildrenUsage
  /** Somebody waits for the exit code: with `--rm` too, its file stays until they have read it. */
  awaited?: boolean
  startedAt?: number
  finishedAt?: number
  exitCode?: number
  oomKilled?: boolean
  error?: string
  /** The last signal that somebody sent by us. */
  sentSignal?: SentSignal
  /** Why it ended, or was not started; absent while it runs. */
  ending?: Ending
  restartCount: number
  /** The last back-off. */
  restartDelayMs?: number
  /** When a `restarting` one starts again. */
  restartAt?: number
  /** `stop` or `kill` asked for the end: no restart policy acts on it. */
  stopRequested?: boolean
  /** Its end was asked for so that it starts again: whatever its policy says, it does. */
  restartRequested?: boolean
  /** Paused by a process of ours for as long as that lives: the program goes on when it is gone. */
  frozenBy?: ProcessIdentity
  /** Volumes are filled from the image once. */
  volumesFilled?: boolean
  /** Files of mounts are given to the program's user once. */
  mountsGiven?: boolean
  /** An update was begun: the kernel may not yet be what the spec says. */
  updating?: PendingUpdate
  /** The runtime itself must start and delete it, as it has hooks to run. */
  hasHooks?: boolean
  /** `rm -v`: anonymous volumes go too. */
  removeVolumes?: boolean
  /** In order; each has its endpoint while the container runs. */
  attachments: NetworkAttachment[]
  /**
   * One that a connect has begun with or a disconnect not finished: whatever the kernel has of it is to be taken back, with a lease that
   * is no other's.
   */
  leaving?: NetworkAttachment
  /** What it has carried on networks that it has left in this run: their counters went with their interfaces. */
  leftTraffic?: EndpointTraffic
  /** Those of its sandbox as the container started: only to be shown. */
  sandboxAttachments?: readonly NetworkAttachment[]
}

/** What an update has to do with a running container, beside its record. */
export interface PendingUpdate {
  /** What the cgroup had. */
  formerResources?: Resources
  /** Those that go are named as they are, with their numbers. */
  ports?: PortChanges
  /** The rate of the network is another. */
  rate?: boolean
  /** Where it may send is another. */
  egress?: boolean
}

/** The health of one run, as far as it is written down: log-file.ts has the rest. */
export interface HealthMark {
  status: HealthStatus
  /** Of the run. */
  startedAt: number
  isStartedUp: boolean
}

/** One row of the table of containers. */
export interface ContainerRecord {
  id: ContainerId
  name: string
  imageId: Digest
  status: RecordStatus
  live: boolean
  createdAt: number
  spec: ContainerSpec
  state: RecordState
  /** Written by checks, which hold no lock of the container. */
  health?: HealthMark
}
