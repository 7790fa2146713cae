import type { Container } from "./container-state.ts"
import type { InterfaceCounters } from "../sys/net/interface-counters.ts"

/** What a running container uses, as the kernel counts it. Undefined numbers: this host does not count them. */
export interface ContainerUsage {
  cpu: {
    /** Since it was started. */
    usedNs?: number
    /** Of one processor, since the reading before; 250: two and a half were busy. */
    percent: number
    /** Of one processor, since it was started. */
    averagePercent: number
  }
  memory: {
    /** Without cached files that nobody has touched lately. */
    usedBytes?: number
    /** With them. */
    totalBytes?: number
    /** What no file backs. */
    anonymousBytes?: number
    swapBytes?: number
    /** Of them the major ones had to be read from a disk. */
    pageFaults?: number
    majorPageFaults?: number
    peakBytes?: number
    /** Its limit, or all memory of the host. */
    limitBytes: number
    /** Of the limit. */
    percent?: number
  }
  /** All but the loopback; none of the host's. */
  interfaces: readonly InterfaceCounters[]
  /** Of block devices. */
  block: { readBytes?: number; writtenBytes?: number }
  /** Processes and threads. */
  pids: { count?: number; limit?: number }
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
