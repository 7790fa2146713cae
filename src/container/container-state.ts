import type { EndpointStatus, NetworkRequest } from "../network/network.ts"
import type { Digest } from "../spec/digest.ts"
import type { Pid } from "../sys/process/process.ts"
import type { ResolvedOptions } from "./container-options.ts"
import type { Ending } from "./ended/ending.ts"
import type { HealthStatus } from "./health/health.ts"

/** 64 hex digits. */
export type ContainerId = string & { readonly brand: "ContainerId" }

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
  /** The image's and those of its options. */
  labels: Readonly<Record<string, string>>
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
 * A network that a container is on while it runs: one of several has the uplink and the published ports (`Networks.arrange`). It is bound to
 * the network namespace of the container, or of its sandbox, and not to a process.
 */
export interface NetworkAttachment extends NetworkRequest {
  /** Its name. */
  network: string
  /** That it had in its last run. */
  lastAddress?: string
  /** Set while it is joined. */
  endpoint?: EndpointStatus & { networkId: string }
}
