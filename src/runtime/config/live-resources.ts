import { readFileSync } from "node:fs"
import type { OciResources } from "../../spec/oci-runtime.ts"
import { blockIoWrites, type CgroupWrite } from "./block-io-files.ts"

/** All processors and memory nodes of the host, as lists. */
export interface HostSets {
  cpus: string
  mems: string
}

const online = (kind: string): string => readFileSync(`/sys/devices/system/${kind}/online`, "latin1").trim()

/** sysfs-devices-system-cpu, sysfs-devices-node. */
export function hostSets(): HostSets {
  try {
    return { cpus: online("cpu"), mems: online("node") }
  } catch {
    return { cpus: online("cpu"), mems: "0" } // a kernel without NUMA
  }
}

/** What the runtime is told of a running container's limits; the rest is `liveWrites`. Pure. */
export function liveResources({ memory, cpu, pids }: OciResources): OciResources {
  return { ...(memory && { memory }), ...(cpu && { cpu }), ...(pids && { pids }) }
}

/** The files of one controller, and what is written to them. */
export interface ControllerWrites {
  controller: string
  writes: readonly CgroupWrite[]
}

/**
 * What runtimes of 2023 leave alone, or cannot write, once a container runs: that a limit is gone, swappiness, block I/O. Pure.
 */
export function liveWrites(
  version: "v1" | "v2",
  { before = {}, after = {} }: { before?: OciResources; after?: OciResources },
  all: HostSets,
): ControllerWrites[] {
  const [cpu, cpuset] = [cpuLifts(version, before.cpu, after.cpu), cpusetLifts(before.cpu, after.cpu, all)]
  const isUncounted = before.pids !== undefined && after.pids === undefined
  return [
    { controller: "memory", writes: memoryWrites(version, before.memory, after.memory) },
    { controller: "cpu", writes: cpu },
    { controller: "cpuset", writes: cpuset },
    { controller: "pids", writes: isUncounted ? [[["pids.max", "max"]]] : [] },
    { controller: "blkio", writes: blockIoWrites(version, before.blockIO, after.blockIO) },
  ]
}

/** What a new cgroup has. */
const SWAPPINESS = 60

function memoryWrites(
  version: "v1" | "v2",
  before: OciResources["memory"] = {},
  after: OciResources["memory"] = {},
): CgroupWrite[] {
  const writes: CgroupWrite[] = []
  const swappiness = after.swappiness ?? (before.swappiness === undefined ? undefined : SWAPPINESS)
  if (swappiness !== undefined) writes.push([["memory.swappiness", `${swappiness}`]])
  const [noSwap, noLimit]: CgroupWrite[] =
    version === "v1"
      ? [[["memory.memsw.limit_in_bytes", "-1"]], [["memory.limit_in_bytes", "-1"]]]
      : [[["memory.swap.max", "max"]], [["memory.max", "max"]]]
  // v1: memory may not be more than memory and swap together
  if (isGone("swap", before, after) && noSwap) writes.push(noSwap)
  if (isGone("limit", before, after) && noLimit) writes.push(noLimit)
  if (isGone("reservation", before, after))
    writes.push(version === "v1" ? [["memory.soft_limit_in_bytes", "-1"]] : [["memory.low", "0"]])
  return writes
}

function cpuLifts(
  version: "v1" | "v2",
  before: OciResources["cpu"] = {},
  after: OciResources["cpu"] = {},
): CgroupWrite[] {
  const writes: CgroupWrite[] = []
  if (isGone("quota", before, after))
    writes.push(version === "v1" ? [["cpu.cfs_quota_us", "-1"]] : [["cpu.max", "max 100000"]])
  if (isGone("shares", before, after))
    writes.push(version === "v1" ? [["cpu.shares", "1024"]] : [["cpu.weight", "100"]])
  if (isGone("realtimeRuntime", before, after)) writes.push([["cpu.rt_runtime_us", "0"]])
  return writes
}

function cpusetLifts(
  before: OciResources["cpu"] = {},
  after: OciResources["cpu"] = {},
  { cpus, mems }: HostSets,
): CgroupWrite[] {
  return [
    ...(isGone("cpus", before, after) ? [[["cpuset.cpus", cpus]] as const] : []),
    ...(isGone("mems", before, after) ? [[["cpuset.mems", mems]] as const] : []),
  ]
}

function isGone<T extends object>(name: keyof T, before: T, after: T): boolean {
  return before[name] !== undefined && after[name] === undefined
}
