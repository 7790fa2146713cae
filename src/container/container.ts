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
import type { EndpointStatus } from "../network/network.ts"
import type { SecretId } from "../secret/secret.ts"
import type { Attachment } from "../runtime/runtime.ts"
import type { ChangesOptions, FileChange } from "../snapshot/snapshot.ts"
import type { Digest } from "../spec/digest.ts"
import type { Descriptor, ImageRunConfig } from "../spec/oci-image.ts"
import type { Platform } from "../spec/platform.ts"
import type { ResourceLimits as Resources } from "../spec/docker/resource-limits.ts"
import type { ContainerChanges, PortChanges } from "./changes.ts"
import type { LimitOptions } from "./limit-options.ts"
import type { NetworkLimits } from "./network-limits.ts"
import type { SecurityOptions } from "./security-options.ts"
import type { DeviceRequest } from "../spec/docker/device-request.ts"
import type { MountRequest } from "../spec/docker/mount-request.ts"
import type { VolumesFrom } from "../spec/docker/volumes-from.ts"
import type { PortMapping } from "../spec/docker/port-mapping.ts"
import type { SecretRequest } from "../spec/docker/secret-request.ts"
import type { RestartPolicy } from "../spec/docker/restart-policy.ts"
import type { ForensicsOptions } from "./forensics/forensics-options.ts"
import type { ContainerCheckpoints } from "./checkpoint/checkpoint-request.ts"
import type { CopyOptions, CopyPlace } from "./files/copy-request.ts"
import type { Ulimit } from "../spec/docker/ulimit.ts"
import type { Pid } from "../sys/process/process.ts"
import type { Ending } from "./ended/ending.ts"
import type { OnLaunchStep } from "./launch-step.ts"

export type { LaunchStep, OnLaunchStep } from "./launch-step.ts"
export type { CLibrary, Ending, ProgramFault, SentSignal } from "./ended/ending.ts"
import type { ContainerUsage } from "./container-usage.ts"

export type { ContainerUsage }
import type { RegistryAccess } from "../registry/registry.ts"
import type { AccountOptions, EnvironmentOptions, EtcOptions, ProcessOptions, TreeOptions } from "./identity-options.ts"
import type { NamespaceOptions } from "./namespace-options.ts"
import type { UserNamespaceMode } from "./user-namespace-options.ts"

export type { AccountOptions, EnvironmentOptions, EtcOptions, ProcessOptions, TreeOptions } from "./identity-options.ts"
export type { IdMapping, UserNamespaceMode } from "./user-namespace-options.ts"
export type { IpcMode, NamespaceMode, NamespaceOptions, TimeOffsets } from "./namespace-options.ts"

export type { ContainerChanges, LimitOptions, NetworkLimits, PortChanges, Resources, SecurityOptions }

export type { CheckpointName, CheckpointResult, ContainerCheckpoints } from "./checkpoint/checkpoint-request.ts"
export type { CopyOptions, CopyPlace } from "./files/copy-request.ts"
import type { CheckOutcome, Duty, Health, HealthMonitor, HealthOptions, HealthStatus } from "./health/health.ts"

export type {
  CheckOutcome,
  Duty,
  Health,
  HealthAction,
  HealthLogOptions,
  HealthMonitor,
  HealthOptions,
  HealthResult,
  HealthStatus,
  StartupCheck,
} from "./health/health.ts"

/** 64 hex digits. */
export type ContainerId = string & { readonly brand: "ContainerId" }

/** Whose network a container has: one of its own on a bridge or without any, the host's, another container's, one at a path. */
export type NetworkMode =
  | { kind: "bridge"; name: string }
  | { kind: "none" }
  | { kind: "host" }
  | { kind: "container"; container: string }
  | { kind: "path"; path: string }

/** `create`'s input. Only the image must be named; what is left out has the default named here (options.ts). */
export interface ContainerOptions {
  /** Default: two words of chance, `brave_lovelace`. */
  name?: string
  /** As typed. */
  image: string
  /** Default: the host's. */
  platform?: string
  /** Default `missing`. */
  pull?: "always" | "missing" | "never"
  /** Words after the image. Default: the image's. */
  command?: readonly string[]
  /** `[]` clears the image's. Default: the image's. */
  entrypoint?: readonly string[]
  /** `NAME=VALUE`, on top of the image's; `NAME` alone takes it away. */
  env?: readonly string[]
  /** On top of the image's. */
  labels?: Record<string, string>
  /** Default: the image's, else `/`. */
  workdir?: string
  /** `user[:group]`. Default: the image's, else root. */
  user?: string
  groupAdd?: readonly string[]
  /** Default: the id's first 12 digits; the host's with its network. */
  hostname?: string
  domainname?: string
  tty?: boolean
  /** Keep standard input open. */
  stdin?: boolean
  /** The terminal's size as the program starts (config.json `consoleSize`). */
  consoleSize?: { rows: number; columns: number }
  /** A small init forwards signals and reaps processes. */
  init?: boolean
  readOnly?: boolean
  /** It goes with its end, its anonymous volumes too. */
  autoRemove?: boolean
  mounts?: readonly MountRequest[]
  /** By name or id. Each is copied as the container is created, and never part of its files or of what is told of it. */
  /** Containers whose volumes and binds this one has too, as they are when it is made. */
  volumesFrom?: readonly VolumesFrom[]
  secrets?: readonly SecretRequest[]
  /** Default: the network `bridge`. */
  network?: NetworkMode
  /** Names or ids of containers that are started before it. */
  requires?: readonly string[]
  /** Its image goes with it, unless somebody else uses that. */
  removeImage?: boolean
  /** It is killed when it has run for so long. */
  runTimeoutSeconds?: number
  /** Default: all its own. */
  namespaces?: NamespaceOptions
  /** Default: the engine's. */
  userNamespace?: UserNamespaceMode
  environment?: EnvironmentOptions
  accounts?: AccountOptions
  etc?: EtcOptions
  process?: ProcessOptions
  tree?: TreeOptions
  /** Of `config.json`: for runtimes and hooks. */
  annotations?: Readonly<Record<string, string>>
  /** How a missing image is pulled. Not kept. */
  registry?: RegistryAccess
  /** Name or id of the sandbox that it lives in: its namespaces, host name and networks are the sandbox's. */
  sandbox?: string
  /** The pod that it belongs to: the domain of pods gives both (`Pods.containerOptions`). */
  pod?: { id: string; name: string }
  /** Of a pod: it runs to its end before the others start; `once`: and is removed then. */
  initContainer?: "always" | "once"
  ports?: readonly PortMapping[]
  /** All exposed ports get host ports of chance. */
  publishAll?: boolean
  /** Of the first attachment to a bridge. Default: the next free one. */
  address?: string
  macAddress?: string
  /** `80/tcp`, on top of the image's. */
  expose?: readonly string[]
  /** Default: the host's, for all three. */
  dns?: readonly string[]
  dnsSearch?: readonly string[]
  dnsOptions?: readonly string[]
  /** `name:address`; the address may be `host-gateway`. */
  extraHosts?: readonly string[]
  /** Default: 4,096 processes where the host can count them, no limit else. */
  resources?: Resources
  limits?: LimitOptions
  security?: SecurityOptions
  networkLimits?: NetworkLimits
  /** Default 64 MiB. */
  shmSizeBytes?: number
  ulimits?: readonly Ulimit[]
  capAdd?: readonly string[]
  capDrop?: readonly string[]
  privileged?: boolean
  /** Docker's words: `no-new-privileges`, `seccomp=FILE|unconfined`. */
  securityOptions?: readonly string[]
  sysctls?: Record<string, string>
  devices?: readonly DeviceRequest[]
  /** Default `no`. */
  restart?: RestartPolicy
  /** Default: the image's, else SIGTERM. */
  stopSignal?: string
  /** Default: the image's, else 10. */
  stopTimeoutSeconds?: number
  /** Default: the image's check. */
  health?: HealthOptions
  /** The command line that made it, for who writes it down elsewhere. */
  createCommand?: readonly string[]
  /** Who tells the service manager of its caller that it is ready. Default: nobody. */
  sdnotify?: "container" | "conmon" | "healthy" | "ignore"
  /** Default: `k8s-file`, which keeps at most 50 MB. */
  log?: { driver?: string; options?: Record<string, string> }
  /** `crun`, `runc`, a path. Default: the engine's choice. */
  runtime?: string
}

/** Options with their defaults filled in, as the record keeps them. */
export type ResolvedOptions = ContainerOptions &
  Required<Pick<ContainerOptions, DefaultedOption>> & {
    log: { driver: string; options: Record<string, string> }
  }

type DefaultedOption =
  | "pull"
  | "env"
  | "labels"
  | "groupAdd"
  | "tty"
  | "stdin"
  | "init"
  | "readOnly"
  | "autoRemove"
  | "mounts"
  | "network"
  | "ports"
  | "publishAll"
  | "expose"
  | "dns"
  | "dnsSearch"
  | "dnsOptions"
  | "extraHosts"
  | "resources"
  | "ulimits"
  | "capAdd"
  | "capDrop"
  | "privileged"
  | "securityOptions"
  | "sysctls"
  | "devices"
  | "restart"
  | "log"

/** What the kernel and the record say together. Exit codes are the program's: 128 and more by a signal. */
export type ContainerState =
  /** `initialized`: all of it is made, and its program waits for the start. */
  | { status: "created"; initialized?: { pid: Pid; monitorPid: Pid } }
  | { status: "running" | "paused"; pid: Pid; monitorPid: Pid; startedAt: Date }
  /** Waiting for its back-off to pass. */
  | { status: "restarting"; exitCode: number; finishedAt: Date; startedAt: Date }
  | { status: "exited"; exitCode: number; startedAt?: Date; finishedAt: Date; oomKilled: boolean; error?: string }
  /** A removal was begun and must be finished. */
  | { status: "removing" }

/** A container as a list shows it. */
export interface Container {
  id: ContainerId
  name: string
  imageId: Digest
  /** Full name it was created from. */
  imageName: string
  createdAt: Date
  options: ResolvedOptions
  state: ContainerState
  restartCount: number
  /** Undefined: it has no check. */
  health?: HealthStatus
  /** The networks that it is on when it runs, in order. */
  attachments: readonly NetworkAttachment[]
  /** The networks of the sandbox that it runs in. */
  sandboxAttachments?: readonly NetworkAttachment[]
  /** Resolved words that run: entrypoint and command. */
  argv: readonly string[]
  runtime: string
  /** Why it ended, or could not be started; absent when it runs, or never did. */
  ending?: Ending
  logPath?: string
  /** What its maker should know, as sentences: only of what `create` and `run` have just made. */
  warnings?: readonly string[]
}

/**
 * A network that a container is on while it runs. Of several the first has the uplink and the published ports. It is bound to
 * the network namespace of the container, or of its sandbox, and not to a process.
 */
export interface NetworkAttachment {
  /** Its name. */
  network: string
  /** `--ip`, `--mac-address`. */
  address?: string
  macAddress?: string
  /** Further names of the container on this network. */
  aliases?: readonly string[]
  /** Set while it is joined. */
  endpoint?: EndpointStatus & { networkId: string }
}

/** A mount with everything decided: volumes have names and host paths, targets are clean absolute paths. */
export interface MountPoint {
  type: "bind" | "volume" | "tmpfs"
  /** Host path of a bind; a volume has a name instead, a tmpfs neither. */
  source: string
  target: string
  readOnly: boolean
  /** A volume's name. */
  name?: string
  /** The volume belongs to this container alone and goes with it (`rm -v`, `--rm`). */
  anonymous?: boolean
  /** Fill an empty volume with what the image has at `target`, at the first start. */
  copyUp?: boolean
  /** Make the bind's source when it is missing (`-v`). */
  createSource?: boolean
  propagation?: string
  /** tmpfs: mount options. */
  options?: readonly string[]
}

/** A secret that a container has a copy of. */
export type GivenSecret = SecretRequest & { id: SecretId; name: string }

/** Image and options merged (run-parameters.ts): what runs. */
export interface RunParameters {
  entrypoint: readonly string[]
  command: readonly string[]
  env: readonly string[]
  workdir: string
  /** As written, `user[:group]`; names are looked up at each start, in the container's files. */
  user: string
  labels: Record<string, string>
  stopSignal: string
  stopTimeoutSeconds: number
  hostname: string
  exposedPorts: readonly string[]
  ports: readonly PortMapping[]
  volumes: readonly string[]
  healthcheck?: ImageRunConfig["Healthcheck"]
  /** The image's, for a check's `CMD-SHELL`. */
  shell?: readonly string[]
}

/** All there is to know of one container. */
export interface ContainerDetails extends Container {
  run: RunParameters
  /** `source` is a host path of volumes too. */
  mounts: readonly MountPoint[]
  secrets: readonly GivenSecret[]
  /** Of one that runs with ids of its own: lines `INSIDE:OUTSIDE:COUNT`. */
  idMaps?: { uids: readonly string[]; gids: readonly string[] }
  /** Host paths of what is bound over /etc/hosts, /etc/resolv.conf and /etc/hostname; empty when there are none. */
  files: { hosts: string; resolvConf: string; hostname: string }
  /** `upperDirectory`: the host directory of what it wrote; empty when it has none. */
  storage: { driver: string; upperDirectory: string }
  /** Undefined when the image is gone. */
  image?: { platform: Platform; manifest: Descriptor }
  /** Host paths: of what is kept of it, and of its bundle, which is there while it runs. */
  paths: { state: string; config: string; pidFile: string; monitorPidFile: string }
  /** Of its first process, while that runs: `CAP_CHOWN`. */
  capabilities?: { effective: readonly string[]; bounding: readonly string[] }
  /** Undefined: it has no check. */
  healthLog?: Health
  /** Those that run in it now. */
  runningExecs: readonly ExecId[]
  /** Of the run that is under way, or the last one. */
  lastRun: { startedAt?: Date; finishedAt?: Date; exitCode?: number; error?: string; oomKilled: boolean }
}

/** Values of one key are alternatives (labels: all must fit), keys must all fit, as docker's. */
export interface ContainerFilter {
  /** Also those not running. */
  all?: boolean
  id?: readonly string[]
  name?: readonly string[]
  status?: readonly string[]
  /** Whether its restart policy has it run after a boot. */
  startsOnBoot?: boolean
  label?: readonly string[]
  ancestor?: readonly string[]
  exited?: readonly number[]
  volume?: readonly string[]
  publish?: readonly string[]
  network?: readonly string[]
  /** None of these labels. */
  notLabel?: readonly string[]
  /** Of its words that run, the first. */
  command?: readonly string[]
  /** `80`, `80/tcp`, `80-90/udp`: of the ports inside, published or exposed. */
  expose?: readonly string[]
  /** `none` is what has no check. */
  health?: readonly string[]
  restartPolicy?: readonly string[]
  /** Of its pod: id or its beginning, or name. */
  pod?: readonly string[]
  before?: string
  since?: string
  /** Made before. */
  until?: Date
}

/** A container that runs, and the hold that this process has on it. */
export interface StartedContainer {
  container: Container
  /** Present when asked for: connected before the program starts, so nothing of its output is missed. */
  attachment?: Attachment
  /** It was asked for, and the program has our own streams: its log driver is `passthrough`. */
  hasOurStreams?: true
  /** The exit code, when it has ended and this process is still there. */
  exited: Promise<number>
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

/** Which lines of a log. Default: all that there are by now. */
export interface LogOptions {
  follow?: boolean
  /** Lines from the end. */
  tail?: number
  since?: Date
  until?: Date
  signal?: AbortSignal
}

/** What stands before each line. */
export interface LogTextOptions extends LogOptions {
  /** The time that it was written, with nanoseconds. */
  timestamps?: boolean
  /** After the time. */
  head?: string
}

/** What a program wrote to one stream, any number of lines. Its bytes are there until the next text is asked for. */
export interface LogText {
  stream: "stdout" | "stderr"
  bytes: Uint8Array
}

/** One line of a program, or what it wrote last without an end. */
export interface LogLine {
  stream: "stdout" | "stderr"
  time: Date
  /** With its newline, where the program wrote one. */
  bytes: Uint8Array
}

/** What one more program of a container shall be. */
export interface ExecRequest {
  command: readonly string[]
  tty?: boolean
  /** Keep standard input open. */
  stdin?: boolean
  /** `NAME=VALUE`, on top of the container's. */
  env?: readonly string[]
  /** Default: the container's. */
  workdir?: string
  /** Default: the container's. */
  user?: string
  /** All capabilities. */
  privileged?: boolean
}

/** A request with its defaults filled in, as the record keeps it. */
export type ResolvedExecRequest = ExecRequest & Required<Pick<ExecRequest, "tty" | "stdin" | "env" | "privileged">>

/** How it is started. Aborted before the program runs, none does, and it may be started later. */
export interface ExecStart extends Abortable {
  /** Nobody is connected to its streams. */
  detach?: boolean
  /** Not written down: neither `inspect` nor events know of it. Not with `detach`, whose end nobody else would see. */
  unrecorded?: boolean
  /** As of `RunOptions`. */
  preservedFds?: readonly number[]
  /** The terminal's size as the program starts. */
  consoleSize?: { rows: number; columns: number }
}

/** 64 hex digits. */
export type ExecId = string & { readonly brand: "ExecId" }

/** One more program of a container. Its record stays until the container goes, but for all except the last 100 that have ended. */
export interface Exec {
  id: ExecId
  containerId: ContainerId
  request: ResolvedExecRequest
  createdAt: Date
  state: { status: "created" } | { status: "running"; pid: Pid } | { status: "exited"; exitCode: number }
}

/** A started program, and the hold that this process has on it. */
export interface ExecSession {
  exec: Exec
  /** Absent when it was started detached. */
  attachment?: Attachment
  /** Resolves with the exit code when the record says so, too. */
  exited: Promise<number>
  /** Lets go, so that this process may end before the program does. */
  release(): void
}

/**
 * Programs that were started in running containers.
 *
 *   create ─▶ created ─ start ─▶ running ─ ends ─▶ exited
 *
 * The program has a monitor of its own: it outlives the process that started it. Its end is written down by that process, by
 * the monitor's exit command when it was started detached, or, when both were killed, by whoever looks next.
 */
export interface Execs {
  /**
   * Throws NotFound, InvalidArgument for an empty command or a relative directory, FailedPrecondition when the container does
   * not run or is paused.
   */
  create(nameOrId: string, request: ExecRequest): Promise<Exec>
  /**
   * Throws FailedPrecondition when it was started already or its container does not run any more; SkiffError with
   * `data.programExit` 126 or 127 when the program cannot be run: it has ended then, with that code.
   */
  start(id: string, options?: ExecStart): Promise<ExecSession>
  /** Both in one. */
  run(nameOrId: string, request: ExecRequest, options?: ExecStart): Promise<ExecSession>
  /** Throws NotFound. */
  get(id: string): Promise<Exec>
  /** Of one container, oldest first. Throws NotFound. */
  list(nameOrId: string): Promise<Exec[]>
  /** Of its terminal. Does nothing when it does not run. Throws NotFound. */
  resize(id: string, size: { rows: number; columns: number }): Promise<void>
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

/** The checks of containers, and all that somebody must stay for: the supervisor's view. */
export interface HealthChecks {
  /**
   * Runs a container's check once, now. Throws NotFound, Cancelled, and FailedPrecondition
   * when it does not run or has no check.
   */
  check(nameOrId: string, abortable?: Abortable): Promise<CheckOutcome>
  /** For a container with a duty to check it. */
  monitor(id: string): Promise<HealthMonitor>
  /** What there is to do, of all containers. */
  duties(): Duty[]
  /** Of one; undefined: nothing, or it is gone. */
  duty(id: string): Duty | undefined
  /** What no time is set for: keeps the log files that conmon has filled, and samples what containers use, where it is time to. */
  look(): Promise<void>
  /** Starts one whose back-off has passed. Does nothing when it was stopped, started or removed meanwhile. */
  restart(id: string): Promise<void>
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

/** Which containers, and how often. Default: those that run, once a second, until the reader stops. */
export interface StatsOptions {
  /** Names or ids: these alone, whether they run or not; it ends when none of them is left. */
  names?: readonly string[]
  /** Also those that do not run. */
  all?: boolean
  select?: (container: Container) => boolean
  intervalMs?: number
  signal?: AbortSignal
}

/** One container at one moment. */
export interface ContainerStats {
  container: Container
  time: Date
  /** Undefined: it does not run. */
  usage?: ContainerUsage
}

/** What may wait: for a lock, a pull, an end. Aborted, it throws Cancelled; what it had begun by then is finished or taken back. */
export interface Abortable {
  abort?: AbortSignal | undefined
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
  /** Throws FailedPrecondition when it does not run or is paused already; Unsupported without a freezer. */
  pause(nameOrId: string, abortable?: Abortable): Promise<void>
  /** Throws FailedPrecondition when it is not paused. */
  unpause(nameOrId: string, abortable?: Abortable): Promise<void>
  /**
   * `volumes`: its anonymous ones too. Throws FailedPrecondition when it runs and `force` is not set. Begun, it is finished by
   * whoever looks next.
   */
  remove(nameOrId: string, options?: Abortable & { force?: boolean; volumes?: boolean }): Promise<void>
  /** Ids of these and of all that stand on them (their networks, `requires`), in an order in which they may be removed. */
  withDependents(namesOrIds: readonly string[]): string[]
  /** Throws AlreadyExists, InvalidArgument for a name that is none or its own. */
  rename(nameOrId: string, newName: string): void
  /**
   * Gives the exit code once the condition holds: within a millisecond or two of the end, also of a container that another
   * process started. Throws NotFound, Cancelled.
   */
  wait(nameOrId: string, options?: { condition?: WaitCondition; signal?: AbortSignal }): Promise<number>
  /** Resolves once it is in one of `states`, which may be at once. Throws NotFound when it goes unasked, Cancelled. */
  waitForState(nameOrId: string, states: readonly WaitState[], options?: { signal?: AbortSignal }): Promise<WaitedState>
  /** Throws FailedPrecondition when it does not run. What it wrote before is not given. */
  attach(nameOrId: string, options: { stdin: boolean }): Promise<StartedContainer>
  readonly execs: Execs
  readonly health: HealthChecks
  readonly checkpoints: ContainerCheckpoints
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
