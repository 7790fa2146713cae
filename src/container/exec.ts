import type { Attachment } from "../runtime/runtime.ts"
import type { Pid } from "../sys/process/process.ts"
import type { Abortable } from "./abortable.ts"
import type { ContainerId } from "./container-state.ts"

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
