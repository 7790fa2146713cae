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
import type { Pid } from "../sys/process.ts"

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
  start(id: string): Promise<void>
  /** Throws NotFound. */
  state(id: string): Promise<RuntimeState>
  /** Throws FailedPrecondition when it is not running. */
  kill(id: string, signal: number, options?: { all?: boolean }): Promise<void>
  pause(id: string): Promise<void>
  resume(id: string): Promise<void>
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

export interface MonitorOptions {
  id: string
  name: string
  bundle: BundlePaths
  runtime: Runtime
  /** `k8s-file:/path`, `journald`, `none`; as conmon's `-l`. */
  log: { driver: "k8s-file" | "journald" | "none"; path?: string; maxBytes?: number; maxFiles?: number; tag?: string }
  tty: boolean
  /** Keep the program's standard input open for attach. */
  stdin: boolean
  /** Words of the command that conmon runs after the exit. */
  exitCommand: readonly string[]
}

export interface Monitor {
  /** Host pid of the container's first process. */
  readonly pid: Pid
  readonly monitorPid: Pid
  /** Resolves with the exit code when the container has ended; its exit file is written by then. */
  readonly exited: Promise<number>
  /** Lets go of the sync pipe, so that this process may end before the container does. */
  release(): void
}

export interface ExecOptions {
  id: string
  /** `config.json`'s `process`. */
  process: object
  tty: boolean
  stdin: boolean
  detach: boolean
  runtime: Runtime
  bundle: BundlePaths
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
