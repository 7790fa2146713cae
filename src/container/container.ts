/**
 * Containers: records and life cycle.
 *
 *   created ─ start ─▶ running ⇄ paused
 *                         │ ends          exited ─ start ─▶ running
 *                         ▼
 *                      exited (restart policy: restarting ─▶ running)
 *
 * A row is the truth for what must survive a reboot; run state lies under the run directory and names its boot. Any process
 * may die between any two lines: each life-cycle change holds the container's lock (flock), writes the row before and after,
 * and repeats safely. Reading a row compares it with the kernel (boot id, exit file, pid with its start time) and brings it
 * up to date first, so a killed engine, monitor or machine is seen by the next command.
 */
import type { Bytes } from "../base/bytes.ts"
import type { OnProgress } from "../base/progress.ts"
import type { Image } from "../image/image.ts"
import type { NetworkRequest } from "../network/network.ts"
import type { Attachment } from "../runtime/runtime.ts"
import type { ChangesOptions, FileChange } from "../snapshot/snapshot.ts"
import type { ImageRunConfig } from "../spec/oci-image.ts"
import type { FileStat } from "../sys/fs/directory.ts"
import type { Abortable } from "./abortable.ts"
import type { ContainerChanges } from "./changes.ts"
import type { ContainerCheckpoints } from "./checkpoint/checkpoint-request.ts"
import type { ContainerDetails } from "./container-details.ts"
import type { Ending } from "./ended/ending.ts"
import type { MountAccess } from "./ownership/access.ts"
import type { ContainerFilter } from "./container-filter.ts"
import type { ContainerOptions } from "./container-options.ts"
import type { Container } from "./container-state.ts"
import type { ContainerStats, StatsOptions } from "./container-usage.ts"
import type { Execs } from "./exec.ts"
import type { CopyOptions, CopyPlace } from "./files/copy-request.ts"
import type { ForensicsOptions } from "./forensics/forensics-options.ts"
import type { HealthChecks } from "./health/health.ts"
import type { OnLaunchStep } from "./launch-step.ts"
import type { LogLine, LogOptions, LogText, LogTextOptions } from "./log-request.ts"

export type { ResourceLimits as Resources } from "../spec/docker/resource-limits.ts"
export type { Abortable } from "./abortable.ts"
export type { ContainerChanges, PortChanges } from "./changes.ts"
export type { CheckpointName, CheckpointResult, ContainerCheckpoints } from "./checkpoint/checkpoint-request.ts"
export type { MountAccess } from "./ownership/access.ts"
export type { MountPoint, GivenSecret, RunParameters, ContainerDetails } from "./container-details.ts"
export type { ContainerFilter } from "./container-filter.ts"
export type { GivenFile, NetworkMode, ContainerOptions, ResolvedOptions } from "./container-options.ts"
export type { ContainerId, ContainerState, Container, NetworkAttachment } from "./container-state.ts"
export type { ContainerStats, ContainerUsage, StatsOptions } from "./container-usage.ts"
export type { CLibrary, Ending, ProgramFault, SentSignal } from "./ended/ending.ts"
export type { ExecRequest, ResolvedExecRequest, ExecStart, ExecId, Exec, ExecSession, Execs } from "./exec.ts"
export type { CopyOptions, CopyPlace } from "./files/copy-request.ts"
export type {
  CheckOutcome,
  Duty,
  Health,
  HealthAction,
  HealthChecks,
  HealthLogOptions,
  HealthMonitor,
  HealthOptions,
  HealthResult,
  HealthStatus,
  StartupCheck,
} from "./health/health.ts"
export type { AccountOptions, EnvironmentOptions, EtcOptions, ProcessOptions, TreeOptions } from "./identity-options.ts"
export type { LaunchStep, OnLaunchStep } from "./launch-step.ts"
export type { LimitOptions } from "./limit-options.ts"
export type { LogOptions, LogTextOptions, LogText, LogLine } from "./log-request.ts"
export type { IpcMode, NamespaceMode, NamespaceOptions, TimeOffsets } from "./namespace-options.ts"
export type { NetworkLimits } from "./network-limits.ts"
export type { NetworkRequest } from "../network/network.ts"
export type { SecurityOptions } from "./security-options.ts"
export type { IdMapping, UserNamespaceMode } from "./user-namespace-options.ts"

/** A container that runs, and the hold that this process has on it. */
export interface StartedContainer {
  container: Container
  /** Present when asked for: connected before the program starts, so nothing of its output is missed. */
  attachment?: Attachment
  /** It was asked for, and the program has our own streams: its log driver is `passthrough`. */
  hasOurStreams?: true
  /** The exit code, when it has ended and this process is still there. */
  exited: Promise<number>
  /** Why, where it could be found out in that moment; of a container that is removed then nobody else knows. */
  readonly ending?: Ending | undefined
  /** Lets this process end before the container does. */
  release(): void
}

/** `next-exit` waits for a start, too. */
export type WaitCondition = "not-running" | "next-exit" | "removed"

/** A state that may be waited for; `removed`: it is not there any more. */
export type WaitState =
  "created" | "running" | "paused" | "exited" | "restarting" | "removing" | "removed" | "healthy" | "unhealthy"

/** The state that came first, and the exit code where the program has ended. */
export interface WaitedState {
  state: WaitState
  exitCode: number | undefined
}

/** How a container is made and started in one go. */
export interface RunOptions extends Abortable {
  /** Connect to its streams before it runs. */
  attach?: boolean
  /** Called when it is there, and does not run yet. */
  onCreated?: (container: Container) => void
  /** Hears of each step of the start. */
  onStep?: OnLaunchStep
  /** Open descriptors of this process, 3 and up, that the program gets under the same numbers. */
  preservedFds?: readonly number[]
}

/** What the new image shall say; all may be left out. */
export interface CommitOptions extends Abortable {
  /** Of the new image. */
  name?: string
  author?: string
  message?: string
  /** The run parameters of the new image, from those of the container. Default: the same. */
  change?(config: ImageRunConfig): Promise<ImageRunConfig>
  /** Hold the program still meanwhile. Default true. */
  pause?: boolean
  /** One layer of all files, the base image's too. */
  squash?: boolean
  /** Default `oci`. */
  format?: "oci" | "docker"
  onProgress?: OnProgress
}

/** What a container takes on disk. */
export interface ContainerSize {
  /** On disk, of what it wrote itself. */
  writableBytes: number
  /** With its image. */
  rootBytes: number
}

/**
 * All containers of a store. A name may be a name, an id or the beginning of one: every method that takes it throws NotFound, and
 * InvalidArgument when it fits several. Each change takes the container's lock (Unavailable when another process keeps it too long), is
 * written down before and after, and may be repeated after a crash; a crash leaves what the next command finishes.
 */
export interface Containers {
  /** Newest first; running ones only, unless `all`. */
  list(filter?: ContainerFilter): Container[]
  /** By id, id prefix or name. Throws NotFound, or InvalidArgument for an ambiguous prefix. */
  get(nameOrId: string): Container
  /**
   * Resolves the image (pulls it as `options.pull` says), checks all options, writes the record. Throws InvalidArgument with
   * the field, NotFound, AlreadyExists for the name, Unavailable; nothing is left then. Twice makes two containers.
   */
  create(options: ContainerOptions, onProgress?: OnProgress, abortable?: Abortable): Promise<Container>
  /**
   * Of one that runs: joins it. Throws FailedPrecondition when it is paused; AlreadyExists for a taken port; a SkiffError with
   * `data.programExit` 126 or 127 when the program cannot be run. What was made by then is taken back.
   */
  start(nameOrId: string, options?: Abortable & { attach?: boolean }): Promise<StartedContainer>
  /**
   * All of a start but the program, which waits: namespaces, mounts and networks are there. `start` lets it go on; `remove` takes it
   * back, and so does the end of its first process. Throws as `start`, and FailedPrecondition when it runs or is initialized.
   */
  init(nameOrId: string, abortable?: Abortable): Promise<Container>
  /**
   * Create and start in one go. When the start is refused no container is left, but where its program could not be run
   * (`data.programExit`): docker leaves that one as created, and so do we.
   */
  run(options: ContainerOptions, onProgress?: OnProgress, runOptions?: RunOptions): Promise<StartedContainer>
  /** Stop signal, then SIGKILL after the timeout (negative: never). Does nothing when it is not running: safe to repeat. */
  stop(nameOrId: string, options?: Abortable & { timeoutSeconds?: number; signal?: string }): Promise<void>
  /** Throws FailedPrecondition when it does not run, InvalidArgument for an unknown signal. SIGKILL is waited for. */
  kill(nameOrId: string, signal: string, abortable?: Abortable): Promise<void>
  /** `stop`, then `start`; one that does not run is started. */
  restart(nameOrId: string, options?: Abortable & { timeoutSeconds?: number; signal?: string }): Promise<void>
  /**
   * Limits, published ports and the restart policy hold at once, and for each later start. Throws InvalidArgument, NotFound for a
   * port that is not published, AlreadyExists for one that is taken, FailedPrecondition for what this host cannot do: all is as
   * before then.
   */
  update(nameOrId: string, changes: ContainerChanges, abortable?: Abortable): Promise<Container>
  /**
   * Puts it on one more network: at once when it runs, and for each later start. Throws NotFound, AlreadyExists when it is on it, or for the
   * address, InvalidArgument, FailedPrecondition for one whose network namespace is not its own; all is as before then.
   */
  connect(nameOrId: string, request: NetworkRequest, abortable?: Abortable): Promise<void>
  /**
   * Takes it off a network. Uplink and published ports go to another of its networks, where there is one. `force`: also of a network that
   * is gone. Throws NotFound, FailedPrecondition when it is not on it.
   */
  disconnect(nameOrId: string, network: string, options?: Abortable & { force?: boolean }): Promise<void>
  /** Throws FailedPrecondition when it does not run or is paused already; Unsupported without a freezer. */
  pause(nameOrId: string, abortable?: Abortable): Promise<void>
  /** Throws FailedPrecondition when it is not paused. */
  unpause(nameOrId: string, abortable?: Abortable): Promise<void>
  /**
   * Runs `body` while the programs of these containers stand still; those that do not run, or are paused already, stay as they are.
   * Killed meanwhile, the next command lets them go on. Throws Unsupported without a freezer.
   */
  whileFrozen<T>(ids: readonly string[], body: () => Promise<T>, abortable?: Abortable): Promise<T>
  /**
   * `volumes`: its anonymous ones too. Throws FailedPrecondition when it runs and `force` is not set. Begun, it is finished by
   * whoever looks next.
   */
  remove(nameOrId: string, options?: Abortable & { force?: boolean; volumes?: boolean }): Promise<void>
  /** Ids of these and of all that stand on them (their networks, `requires`), in an order in which they may be removed. */
  withDependents(namesOrIds: readonly string[]): string[]
  /** On its networks it is found by the new name at once. Throws AlreadyExists, InvalidArgument for a name that is none or its own. */
  rename(nameOrId: string, newName: string): Promise<void>
  /**
   * Gives the exit code once the condition holds: within a millisecond or two of the end, also of a container that another
   * process started. Throws NotFound, Cancelled.
   */
  wait(nameOrId: string, options?: { condition?: WaitCondition; signal?: AbortSignal }): Promise<number>
  /** Resolves once it is in one of `states`, which may be at once. Throws NotFound when it goes unasked, Cancelled. */
  waitForState(nameOrId: string, states: readonly WaitState[], options?: { signal?: AbortSignal }): Promise<WaitedState>
  /** Throws FailedPrecondition when it does not run. What it wrote before is not given. */
  attach(nameOrId: string, options: { stdin: boolean }): Promise<StartedContainer>
  /** Whose the files of its mounts are, and whether its program may write to them. Throws NotFound; FailedPrecondition when it does not run. */
  mountAccess(nameOrId: string): Promise<MountAccess[]>
  readonly execs: Execs
  readonly health: HealthChecks
  readonly checkpoints: ContainerCheckpoints
  /**
   * Its log goes on in a new file, after somebody has renamed the one at its path. Throws FailedPrecondition when it does not run, or its
   * log is no file.
   */
  reopenLog(nameOrId: string): Promise<void>
  /** Of its terminal. Never fails for want of one: the size is a courtesy. */
  resize(nameOrId: string, size: { rows: number; columns: number }): void
  /**
   * With `follow` until it has ended for good, or `signal` says so. Reads over rotation, never with a gap. Throws
   * FailedPrecondition when its log driver keeps nothing to read.
   */
  logs(nameOrId: string, options?: LogOptions): AsyncIterable<LogLine>
  /** The same as text, as fast as a disk gives it. */
  logText(nameOrId: string, options?: LogTextOptions): AsyncIterable<LogText>
  /** All its files as one plain tar, without what is mounted in it; it may run meanwhile. Throws NotFound. */
  export(nameOrId: string, abortable?: Abortable): Bytes
  /**
   * Copies a file or a tree between containers and the host, by docker's rules on what a target means. Runs or not, what is
   * mounted in it is seen; no link leads out of it, whatever its programs do meanwhile. Throws NotFound for a path,
   * InvalidArgument, FailedPrecondition for what would be overwritten; what was copied by then stays.
   */
  copy(from: CopyPlace, to: CopyPlace, options?: CopyOptions): Promise<void>
  /** What is at `path` as one plain tar. Throws NotFound, InvalidArgument. */
  readArchive(nameOrId: string, path: string, options?: Omit<CopyOptions, "archive" | "overwrite">): Bytes
  /** Extracts a tar, compressed or not, into the directory `path`; as `copy`. Throws DataLoss for what is none. */
  writeArchive(nameOrId: string, path: string, archive: Bytes, options?: Omit<CopyOptions, "followLink">): Promise<void>
  /** What stands at each path, as its programs see it, the last name not followed; undefined where nothing does. Throws NotFound for the container. */
  fileStats(nameOrId: string, paths: readonly string[], abortable?: Abortable): Promise<(FileStat | undefined)[]>
  /** Removes files and trees, no program of it needed; no link leads out of it. What is not there is passed over. Throws as `copy`. */
  removeFiles(nameOrId: string, paths: readonly string[], abortable?: Abortable): Promise<void>
  /**
   * Shows its files, without what is mounted in it, at a path of the host until `unmount`, its removal or the next boot; gives the
   * path. Starts and ends of the container change nothing of it. Safe to repeat. Throws NotFound.
   */
  mount(nameOrId: string, abortable?: Abortable): Promise<string>
  /** False when it was not mounted. Safe to repeat. Throws NotFound. */
  unmount(nameOrId: string, abortable?: Abortable): Promise<boolean>
  /** Where its files are mounted; undefined where they are not. Throws NotFound. */
  mountPoint(nameOrId: string): Promise<string | undefined>
  /**
   * The files that it has added, changed and deleted, as `Snapshotter.changes`, without what a runtime makes to mount something
   * on. Default: since its image. Throws NotFound.
   */
  fileChanges(nameOrId: string, options?: ChangesOptions): AsyncIterable<FileChange>
  /**
   * All that is to be known of it at one moment as one plain tar: processes with memory maps and open files, network, changed files with
   * digests, logs, events, and last a manifest with the digest of each. One that runs stands still while its processes are looked
   * at, where the host can. Throws NotFound.
   */
  forensics(nameOrId: string, options?: ForensicsOptions): Bytes
  /** Makes an image of the container's changes, on top of its image. Throws NotFound, InvalidArgument; it runs on, whatever it throws. */
  commit(nameOrId: string, options?: CommitOptions): Promise<Image>
  /** Rows of the host's `ps`, with titles. Throws FailedPrecondition when it does not run, InvalidArgument for options of `ps`. */
  top(
    nameOrId: string,
    psOptions: readonly string[],
    abortable?: Abortable,
  ): Promise<{ titles: string[]; processes: string[][] }>
  /**
   * What containers use, round by round; the first comes after half a second, since a share of the CPU is of some time. Containers come and
   * go between rounds. Reads the kernel's counters: nothing runs in a container. Throws NotFound for a name that is none at first.
   */
  stats(options?: StatsOptions): AsyncIterable<ContainerStats[]>
  /**
   * Writes down what running containers have used up to now. Their ends are written down without it; between them it tells how much
   * memory was held, and a power failure loses what came after it. For whoever looks now and then.
   */
  meterRunning(): Promise<void>
  /** Reads all that the container wrote: slow for a big one. Throws NotFound. */
  size(nameOrId: string, abortable?: Abortable): Promise<ContainerSize>
  /** Throws NotFound. */
  inspect(nameOrId: string): Promise<ContainerDetails>
  /** The hidden verb of conmon's exit command: writes the end down, cleans up, removes or restarts. Safe to repeat. */
  cleanup(id: string, execId?: string): Promise<void>
  /** Brings every record in line with the kernel, and finishes what killed processes left. */
  reconcile(): Promise<void>
  /** The part of it that a look at the records and /proc shows: cheap, for a long-lived process to do now and then. */
  maintain(abortable?: Abortable): Promise<void>
}
