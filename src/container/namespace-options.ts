/** Which namespaces a container has to itself, and whose it shares else. */

import type { IpcMode, NamespaceMode } from "../spec/docker/namespace-mode.ts"

export type { IpcMode, NamespaceMode } from "../spec/docker/namespace-mode.ts"

/** Seconds that a clock of the container is ahead of the host's; negative: behind (time_namespaces(7)). */
export interface TimeOffsets {
  monotonicSeconds?: number
  boottimeSeconds?: number
}

/** What is left out is private, the clocks are the host's. The network has an option of its own. */
export interface NamespaceOptions {
  pid?: NamespaceMode
  ipc?: IpcMode
  uts?: NamespaceMode
  cgroup?: NamespaceMode
  /** Default: the host's; private with `timeOffsets`. */
  time?: NamespaceMode
  timeOffsets?: TimeOffsets
}

/** The kinds that a container can share, in the order in which they are looked at. */
export const NAMESPACE_KINDS = ["pid", "ipc", "uts", "cgroup", "time"] as const

/** One of them. */
export type NamespaceKind = (typeof NAMESPACE_KINDS)[number]
