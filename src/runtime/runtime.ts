/**
 * One container as the kernel sees it: an OCI bundle, the runtime that starts it (crun, runc), the monitor that stays.
 *
 *   config.json ← runtimeConfig(...)                 pure: runtime/config.ts
 *   Monitor.create(...)   conmon forks, runs `RUNTIME create`, reports the pid; its network namespace exists from here
 *   Runtime.start(id)     the program runs
 *   monitor.exited        the sync pipe's end; the exit file holds the code
 *   Runtime.delete(id)    cgroup and runtime state go
 *
 * The monitor (conmon) belongs to no skiff process: killing the engine changes nothing for the container. Its exit
 * command is `skiff` itself with a hidden verb, which cleans up when nobody in the foreground has; both may run.
 */
import type { DeviceRequest } from "../spec/docker/device-request.ts"
import type { DeviceCgroupRule } from "../spec/docker/device-rule.ts"
import type { ResourceLimits as DockerLimits } from "../spec/docker/resource-limits.ts"
import type { Ulimit } from "../spec/docker/ulimit.ts"
import type { OciConfig, OciMount, OciProcess } from "../spec/oci-runtime.ts"
import type { CgroupCounters } from "../sys/process/cgroup-reader.ts"
import type { Pid } from "../sys/process/process.ts"
import type { TerminalSize } from "../sys/terminal/terminal.ts"

export { stepRuntimeName, type StepLevel } from "./rootless/level.ts"

/** What a runtime says of a container (runtime-spec runtime.md#state). */
export interface RuntimeState {
  status: "creating" | "created" | "running" | "paused" | "stopped"
  pid: Pid
}

/** An OCI runtime's command line (runtime-spec runtime.md#lifecycle). Each call throws SkiffError with the runtime's own words. */
export interface Runtime {
  /** `crun`, `runc`, or the path given by `--runtime`. */
  readonly name: string
  readonly path: string
  /** Words that stand before the verb: `--root=…`, `--cgroup-manager=…`. The monitor needs them too. */
  readonly globalArgs: readonly string[]
  /** The program of a created container runs from here. Not to be repeated. */
  start(id: string): Promise<void>
  /** Throws NotFound. */
  state(id: string): Promise<RuntimeState>
  /** Throws FailedPrecondition when it is not running. */
  kill(id: string, signal: number, options?: { all?: boolean }): Promise<void>
  /** Throws FailedPrecondition when it is not running, or there is no freezer. */
  pause(id: string): Promise<void>
  /** Throws FailedPrecondition when it is not paused. */
  resume(id: string): Promise<void>
  /** Limits of a running container; safe to repeat. */
  update(id: string, resources: object): Promise<void>
  /** Safe to repeat: a container that the runtime does not know is deleted. */
  delete(id: string, options?: { force?: boolean }): Promise<void>
}

/** Files of one container below its run directory (`/run/skiff/<id>/`), all volatile. */
export interface BundlePaths {
  directory: string
  config: string
  rootfs: string
  pidFile: string
  monitorPidFile: string
  /** conmon writes the exit code, as text, to `<exitDirectory>/<id>`. */
  exitDirectory: string
  attachSocket: string
  control: string
}

/** When a log file is full. */
export interface LogFileLimit {
  maxBytes: number
  /** What the first one, which may hold something already, still takes. */
  freeBytes: number
}

/** Processes that are made again, in place of a start. */
export interface RestoreRequest {
  /** CRIU's images. Its log and figures go into the bundle. */
  imageDirectory: string
  tcpEstablished: boolean
  fileLocks: boolean
  emptyNetwork: boolean
}

/** What the monitor of a container is made of. */
export interface MonitorOptions {
  /** `create` restores them, and they run when it is done: nothing is to be started. */
  restore?: RestoreRequest | undefined
  id: string
  name: string
  bundle: BundlePaths
  runtime: Runtime
  /** `k8s-file:/path`, `journald`, `none`; as conmon's `-l`. */
  log: { driver: "k8s-file" | "journald" | "none" | "passthrough"; path?: string; limit?: LogFileLimit; tag?: string }
  tty: boolean
  /** Keep the program's standard input open for attach. */
  stdin: boolean
  /** Also after the first attachment has gone. */
  keepStdin?: boolean | undefined
  /** Words of the command that conmon runs after the exit. */
  exitCommand: readonly string[]
  /** How long after it, for one who waits for the exit and cleans up first; default 0. */
  exitDelaySeconds?: number
  /** The program is killed when it has run for so long. */
  runTimeoutSeconds?: number
  /** Open descriptors that the monitor inherits, and keeps until it ends: the sockets of published ports. The container gets none. */
  held?: readonly number[]
  /** Open descriptors of ours, 3 and up, that the program gets under the same numbers. */
  preservedFds?: readonly number[]
}

/** A monitor that waits for its bundle. Disposed, it ends; when this process dies it finds no config.json, and ends, too. */
export interface PendingMonitor extends Disposable {
  /**
   * Writes `bundle.config`, from which the monitor has the runtime create the container. Throws a SkiffError with
   * `data.programExit` 126 or 127 when the program cannot be run, and has removed what it made by then.
   */
  create(config: OciConfig): Promise<Monitor>
}

/** The process that stays beside a container: it keeps the log and tells the end. */
export interface Monitor {
  /** Host pid of the container's first process. */
  readonly pid: Pid
  readonly monitorPid: Pid
  /** Resolves with the exit code when the container has ended; its exit file is written by then. */
  readonly exited: Promise<number>
  /** Lets go of the sync pipe, so that this process may end before the container does. */
  release(): void
}

/** What one more program in a running container is made of. */
export interface ExecOptions {
  id: string
  /** `config.json`'s `process`, from `Runtimes.execProcess`: asked for while the monitor loads. */
  process(): OciProcess
  tty: boolean
  stdin: boolean
  detach: boolean
  runtime: Runtime
  bundle: BundlePaths
  /**
   * Of this exec alone: its sockets lie there, and its exit code, once it has ended. The caller removes it, or the end of the
   * container does.
   */
  directory: string
  /** Words of the command that the monitor runs after the end, if any. */
  exitCommand?: readonly string[]
  /** As of `MonitorOptions`. */
  preservedFds?: readonly number[]
}

/** One more program in a running container, with a monitor of its own. */
export interface Exec {
  readonly pid: Pid
  /** Absent when detached. */
  attachment?: Attachment
  /** Resolves with the exit code; rejects with a SkiffError of `data.programExit` 126 or 127 when the program cannot be run. */
  readonly exited: Promise<number>
  /** Lets go, so that this process may end before the program does. */
  release(): void
}

/** What a check runs: words, or a text for the container's `/bin/sh`. */
export type ProbeProgram = { words: readonly string[] } | { text: string }

/** What the checks of one container are made of. */
export interface ProberOptions {
  id: string
  runtime: Runtime
  program: ProbeProgram
  /** `config.json`'s `process` of the words, from `Runtimes.execProcess`. */
  process(argv: readonly string[]): OciProcess
  /** Of this prober alone, and there. */
  directory: string
  /** 0: a great deal. */
  maxOutputBytes: number
  /** Keep a shell in the container between the checks, where it has one: a tenth of the work of a check. */
  resident: boolean
}

/** How a check ended. */
export interface ProbeResult {
  exitCode: number
  /** Both streams. */
  output: string
  /** It was killed, with all that it had started. */
  timedOut: boolean
}

/** Runs one and the same check in a container, without a monitor; one at a time. Disposed, it takes its shell out of it. */
export interface Prober extends Disposable {
  /** Throws Cancelled before it has begun; what the runtime has against it is a result. */
  run(options: { timeoutMs: number; signal?: AbortSignal | undefined }): Promise<ProbeResult>
}

/** What a program in the foreground is made of: a step of a build. */
export interface RunToEndOptions {
  id: string
  /** Holds config.json; the runtime's pid file and log are written there. */
  directory: string
  runtime: Runtime
  /** For the message when it cannot be run. */
  program?: string
  /** Descriptor that the program reads; default: nothing to read. */
  stdin?: number
  /** `config.json` asks for a terminal: it is joined to the one on our descriptors 0, 1 and 2, and `onOutput` hears nothing. */
  terminal?: boolean
  /** Descriptor that the runtime keeps open as long as it lives: a lock on it tells others so, when we have been killed. */
  alive?: number
  /** Whoever hears our signals, and hands them on to the program from then on. */
  signals?: { connect(send: (signal: string) => Promise<void>): void }
  onOutput(stream: "stdout" | "stderr", bytes: Uint8Array): void
  /** Aborted: the program and all that it started are killed. */
  signal?: AbortSignal
}

/** A connection to the program's terminal or standard streams, through conmon's socket. */
export interface Attachment extends Disposable {
  /** Called with each piece of output, in order. The next piece waits until the promise resolves. */
  onOutput(sink: (stream: "stdout" | "stderr", chunk: Uint8Array) => void | Promise<void>): void
  /** Resolves when the other end has closed. */
  readonly closed: Promise<void>
  write(chunk: Uint8Array): Promise<void>
  /** End of standard input. */
  endInput(): void
}

/** Limits, and what holds where none is given. */
export interface ResourceLimits extends DockerLimits {
  /** The limit where none is given and this host can enforce one; where it cannot, none, and no error. */
  pidsLimitWherePossible?: number
}

/** Where a container's cgroup lies, if it has one. */
export interface CgroupPlacement {
  /** It has none of its own: its processes stay in their maker's. */
  disabled?: boolean
  /** Absolute path of the cgroup that it lies in; with systemd the name of a slice. Default: our own. */
  parent?: string
}

/** What a container needs of its runtime. */
export interface RuntimeChoice {
  timeNamespace?: string
  withoutCgroup?: boolean
  withHooks?: boolean | undefined
}

/** From which limits to which. */
export interface LimitChange {
  before: ResourceLimits
  after: ResourceLimits
  placement?: CgroupPlacement
}

/** Whose numbers the program runs with; resolved from the image's passwd and group by the caller. */
export interface ProcessUser {
  uid: number
  gid: number
  additionalGids: readonly number[]
}

/** `count` ids from `inside` on are those from `outside` on. */
export interface IdMapping {
  inside: number
  outside: number
  count: number
}

/** What `config.json` is made of. Everything is resolved: no names of users, no relative host paths. */
export interface ConfigInput {
  id: string
  /** Absolute host path of the mounted root. */
  rootfs: string
  readOnly: boolean
  argv: readonly string[]
  env: readonly string[]
  cwd: string
  user: ProcessUser
  tty: boolean
  consoleSize?: TerminalSize
  hostname?: string
  domainname?: string
  /** Binds, volumes, tmpfs, /etc/hosts … : they come after the default mounts and hide those of the same target. */
  mounts: readonly OciMount[]
  network: { kind: "private" } | { kind: "host" } | { kind: "path"; path: string }
  /** Default private; a path joins another container's (`/proc/PID/ns/ipc`). */
  ipc?: "private" | "host" | { path: string }
  pid?: "private" | "host" | { path: string }
  uts?: "private" | "host" | { path: string }
  cgroup?: "private" | "host" | { path: string }
  /** Default: the engine's. With a path, the maps are those of the namespace there. */
  userNamespace?: { uids: readonly IdMapping[]; gids: readonly IdMapping[]; path?: string }
  /** Of the first process; default: the monitor's. */
  umask?: number
  /** What uname(2) says of the machine. */
  personality?: "LINUX" | "LINUX32"
  /** The cgroups of the container are its own to change (on v1 those of systemd alone). */
  ownsCgroups?: boolean
  /** False: no /dev/shm. */
  shm?: boolean
  /** Default 64 MiB. */
  shmSizeBytes?: number
  privileged: boolean
  capAdd: readonly string[]
  capDrop: readonly string[]
  /** As `--security-opt`: `no-new-privileges[:true|false]`, `seccomp=FILE|unconfined`. */
  securityOptions: readonly string[]
  sysctls: Readonly<Record<string, string>>
  devices: readonly DeviceRequest[]
  /** `nvidia.com/gpu=0`, by the Container Device Interface. */
  cdiDevices?: readonly string[]
  /** Hidden, in place of the usual ones; of a privileged one nothing is. */
  maskedPaths?: readonly string[]
  /** Not to be written, in place of the usual ones. */
  readonlyPaths?: readonly string[]
  /** Of its capabilities those that a program keeps which is not root's: also inheritable. */
  ambientCapabilities?: readonly string[]
  /** Those that this host has configured for such a container are added; absent: none. */
  hooks?: { hasBindMounts: boolean }
  /** Text of a seccomp profile in place of the default one, where `securityOptions` name none. */
  seccompProfile?: string
  ulimits: readonly Ulimit[]
  /** On top of what `devices` allow. */
  deviceCgroupRules?: readonly DeviceCgroupRule[]
  resources: ResourceLimits
  cgroupPlacement?: CgroupPlacement
  /** Class of Intel's RDT (resctrl) that the container joins. */
  rdtClass?: string
  oomScoreAdj?: number
  /** Host path of an init (catatonit): it is bound at /dev/init and runs `argv`. */
  initPath?: string
  annotations?: Readonly<Record<string, string>>
  /** The image's, where it is not the host's own: `386`. */
  imageArchitecture?: string
}

/** What `exec` changes of the container's own process. */
export interface ExecProcessInput {
  argv: readonly string[]
  /** Added to, or in place of, the container's. */
  env: readonly string[]
  cwd?: string
  user?: ProcessUser
  tty: boolean
  consoleSize?: TerminalSize
  privileged: boolean
  /** Default: the container's as it was started. */
  ulimits?: readonly Ulimit[]
}

/** What is left to read of a container's cgroup; all numbers undefined once the cgroup is gone. */
export interface CgroupUsage extends CgroupCounters {
  /** The kernel's OOM killer ended a process of the container. */
  oomKilled: boolean
}

/** Cgroups that several containers lie in, each by its owner's id, bounded as a whole. */
export interface SharedCgroups {
  /** What a container's `CgroupPlacement.parent` is; undefined where this host has none to share. */
  path(id: string, limits: ResourceLimits, parent?: string): string | undefined
  /**
   * Whether it could be made. Throws InvalidArgument, FailedPrecondition where the host cannot hold a limit, Unsupported for one that
   * the user's systemd has no property for.
   */
  check(limits: ResourceLimits, parent?: string): void
  /** Throws as `check`. Safe to repeat. */
  make(id: string, limits: ResourceLimits, parent?: string): Promise<void>
  /** Once no process is in it. Safe to repeat. */
  remove(id: string, limits: ResourceLimits, parent?: string): Promise<void>
}

/** How a container is written to disk. */
export interface DumpOptions {
  /** Empty directories: the images, and CRIU's log and figures. */
  imageDirectory: string
  workDirectory: string
  leaveRunning: boolean
  tcpEstablished: boolean
  fileLocks: boolean
  /** Its network namespace is made anew at a restore, empty, and is filled before its sockets come. */
  emptyNetwork: boolean
  /** Memory alone: the container runs on, and a later dump writes what has changed. */
  preDump: boolean
  /** Of the pre-dump, relative to the images. */
  parent?: string
}

/** CRIU's figures; times in microseconds. */
export type CriuStats = Readonly<Record<string, number>>

/** Containers that are written to disk and made again (CRIU). */
export interface Checkpoints {
  /** Throws Unsupported where this host cannot do it for a container of `runtime`, with what to do. Costs some 30 ms. */
  require(runtime: Runtime): Promise<void>
  /** Throws FailedPrecondition with CRIU's own words: the container runs on then. */
  dump(runtime: Runtime, id: string, options: DumpOptions): Promise<void>
  /** Of the last dump or restore, from its work directory; none where there are none. */
  stats(workDirectory: string, kind: "dump" | "restore"): CriuStats
  /** Why a restore failed, by CRIU's log in the work directory; undefined where it says nothing. */
  restoreFailure(workDirectory: string): string | undefined
}

/** The whole domain, as `engine/` opens it (runtime/open.ts) and hands it to `container/`. */
export interface Runtimes {
  readonly sharedCgroups: SharedCgroups
  /**
   * `crun`, `runc`, a path; undefined: the one that suits this host. `timeNamespace`: the file that opens the one in which it is called.
   * `withoutCgroup`: it shall make none. `withHooks`: it shall do all itself, as it has hooks to run. Throws NotFound with the repair, Unsupported.
   */
  choose(name?: string, options?: RuntimeChoice): Promise<Runtime>
  /** Where a container's volatile files lie; makes nothing. */
  bundle(id: string): BundlePaths
  /** The whole `config.json`. Throws InvalidArgument, or FailedPrecondition when this host cannot give what was asked. */
  config(input: ConfigInput, runtime: Runtime): Promise<OciConfig>
  /** Keeps what the runtime has compiled for a container that it has created, for those of the same config that follow. */
  keepCompiled(id: string): void
  /** The `process` of one more program, of the container's own. Throws InvalidArgument. */
  execProcess(config: OciConfig, input: ExecProcessInput): OciProcess
  /** Starts the monitor, which gets ready and waits. The directories of the bundle, and of the log, are there. */
  startMonitor(options: MonitorOptions): Promise<PendingMonitor>
  /**
   * Kills the monitor of a container, also one that waits, or that has just seen the end and is about to run the exit command.
   * Nothing else is killed, and not a caller that is the exit command. Safe to repeat.
   */
  endMonitor(id: string): void
  /**
   * Finds the end of a container whose monitor another skiff process started. `exited` resolves with the exit code,
   * or rejects with NotFound when the monitor has died and left none.
   */
  findMonitor(container: { id: string; bundle: BundlePaths; pid: Pid; monitorPid: Pid }): Monitor
  /** The exit code that the monitor wrote; undefined while there is none. */
  exitCode(id: string, bundle: BundlePaths): number | undefined
  /** Connects to a container's standard streams. Before `start`, so that nothing is missed. */
  attach(bundle: BundlePaths, options: { stdin: boolean }): Promise<Attachment>
  /** Of the container's terminal. Does nothing without one. */
  resize(bundle: BundlePaths, size: TerminalSize): void
  /** Of the terminal of an exec, by its directory. */
  resizeExec(directory: string, size: TerminalSize): void
  /**
   * The exit code of an exec whose program has ended: its monitor writes it a moment later. Undefined when that was killed, or
   * when somebody has read the code and cleaned up.
   */
  execExitCode(id: string, directory: string): Promise<number | undefined>
  /** Tells the monitor to open its log file anew, after it was renamed. */
  reopenLog(bundle: BundlePaths): void
  /** Throws a SkiffError with `data.programExit` 126 or 127 when the program cannot be run; nothing is left of it then. */
  exec(options: ExecOptions): Promise<Exec>
  /** Runs nothing yet. */
  openProber(options: ProberOptions): Promise<Prober>
  /**
   * Runs a container in the foreground, with no monitor; gives the program's exit code. Throws a
   * SkiffError with `data.programExit` 126 or 127 when it cannot be run, Cancelled. Runtime state and cgroup are gone afterwards.
   */
  runToEnd(options: RunToEndOptions): Promise<number>
  /** Throws InvalidArgument, and FailedPrecondition for limits that this host cannot hold. Touches nothing. */
  checkLimits(limits: ResourceLimits, placement?: CgroupPlacement): Promise<void>
  /** Gives a running container other limits. Safe to repeat. Throws as `checkLimits`, and FailedPrecondition when the kernel refuses. */
  changeLimits(runtime: Runtime, id: string, change: LimitChange): Promise<void>
  /**
   * The weights of block I/O of a container that has just been created: no runtime of 2023 knows both schedulers. `config` is
   * made without them. Throws as `changeLimits`.
   */
  weighBlockIo(id: string, limits: ResourceLimits, placement?: CgroupPlacement): Promise<void>
  checkpoints(): Promise<Checkpoints>
  /** Reads the cgroup; call it before `Runtime.delete`, which removes it. */
  usage(id: string, bundle: BundlePaths, cgroup?: CgroupPlacement): CgroupUsage
}
