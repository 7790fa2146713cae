/** All that the kernel counts of one cgroup and its processes, read once: slower than CgroupReader, and more. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { join } from "node:path"
import type { CgroupDirectories } from "./cgroup-reader.ts"

/** What is undefined this host does not count. Times in seconds. */
export interface CgroupMetrics {
  cpu: {
    userSeconds?: number
    systemSeconds?: number
    periods?: number
    throttledPeriods?: number
    throttledSeconds?: number
    periodUs?: number
    quotaUs?: number
    shares?: number
  }
  memory: {
    cacheBytes?: number
    mappedFileBytes?: number
    kernelBytes?: number
    /** How often it came to its limit. */
    failures?: number
    oomKills?: number
    pageFaults?: number
    majorPageFaults?: number
    limitBytes?: number
    swapLimitBytes?: number
    reservationBytes?: number
  }
  hugepages: readonly { pageSize: string; usedBytes: number; peakBytes?: number }[]
  devices: readonly { device: string; readBytes: number; writtenBytes: number; reads: number; writes: number }[]
  /** Of cpu, memory and io (v2). */
  pressure: Readonly<Partial<Record<PressureKind, Pressure>>>
  processes: number
  threads?: number
  threadsLimit?: number
  fileDescriptors: number
  sockets: number
}

export type PressureKind = "cpu" | "memory" | "io"

/** Documentation/accounting/psi.rst. */
export interface Pressure {
  some: PressureLine
  full?: PressureLine
}

export interface PressureLine {
  avg10: number
  avg60: number
  avg300: number
  totalMicroseconds: number
}

/** USER_HZ, which Linux fixes for what it shows. */
const TICKS_PER_SECOND = 100
/** No more processes and descriptors are looked at: nobody may make us work without end. */
const MAX_COUNTED_PROCESSES = 1000
const MAX_COUNTED_DESCRIPTORS = 20_000

/** Of the cgroup that `cgroupDirectoriesOf` found. */
export function cgroupMetrics(directories: CgroupDirectories): CgroupMetrics {
  const all = new Map(
    [...directories].flatMap(([names, path]) => names.split(",").map((name) => [name, path] as const)),
  )
  const isUnified = !all.has("memory") && !all.has("cpuacct")
  const read = (controller: string, file: string): string => {
    const directory = all.get(isUnified ? "" : controller)
    return directory === undefined ? "" : textOf(join(directory, file))
  }
  const pids = processesOf(
    isUnified ? read("", "cgroup.procs") : read("pids", "cgroup.procs") || read("cpu", "cgroup.procs"),
  )
  return {
    ...(isUnified ? unified(read) : legacy(read)),
    hugepages: hugepagesOf(all.get(isUnified ? "" : "hugetlb"), isUnified),
    pressure: isUnified ? pressureOf(read) : {},
    processes: pids.length,
    threads: numberOf(read("pids", "pids.current")),
    threadsLimit: numberOf(read("pids", "pids.max")),
    ...descriptorsOf(pids),
  }
}

type Read = (controller: string, file: string) => string
type Counted = Pick<CgroupMetrics, "cpu" | "memory" | "devices">

/** cgroup-v2.rst */
function unified(read: Read): Counted {
  const cpu = fieldsOf(read("cpu", "cpu.stat"))
  const memory = fieldsOf(read("memory", "memory.stat"))
  const events = fieldsOf(read("memory", "memory.events"))
  const [quota, period] = read("cpu", "cpu.max").trim().split(" ")
  const weight = numberOf(read("cpu", "cpu.weight"))
  return {
    cpu: {
      userSeconds: scaled(cpu.user_usec, 1e6),
      systemSeconds: scaled(cpu.system_usec, 1e6),
      periods: cpu.nr_periods,
      throttledPeriods: cpu.nr_throttled,
      throttledSeconds: scaled(cpu.throttled_usec, 1e6),
      periodUs: numberOf(period ?? ""),
      quotaUs: numberOf(quota ?? ""),
      // the conversion of runtimes, back
      shares: weight === undefined ? undefined : Math.round(2 + ((weight - 1) * 262_142) / 9999),
    },
    memory: {
      cacheBytes: memory.file,
      mappedFileBytes: memory.file_mapped,
      kernelBytes: memory.kernel,
      failures: events.max,
      oomKills: events.oom_kill,
      pageFaults: memory.pgfault,
      majorPageFaults: memory.pgmajfault,
      limitBytes: numberOf(read("memory", "memory.max")),
      swapLimitBytes: numberOf(read("memory", "memory.swap.max")),
      reservationBytes: numberOf(read("memory", "memory.low")),
    },
    devices: [...read("io", "io.stat").matchAll(/^(\d+:\d+)(.*)$/gm)].map(([, device = "", line = ""]) => ({
      device,
      readBytes: keyed(line, "rbytes"),
      writtenBytes: keyed(line, "wbytes"),
      reads: keyed(line, "rios"),
      writes: keyed(line, "wios"),
    })),
  }
}

/** cgroup-v1: cpuacct.rst, memory.rst, blkio-controller.rst */
function legacy(read: Read): Counted {
  const cpu = fieldsOf(read("cpu", "cpu.stat"))
  const ticks = fieldsOf(read("cpuacct", "cpuacct.stat"))
  const memory = fieldsOf(read("memory", "memory.stat"))
  const [bytes, operations] = ["io_service_bytes_recursive", "io_serviced_recursive"].map((file) =>
    read("blkio", `blkio.throttle.${file}`),
  )
  const names = new Set([...(bytes ?? "").matchAll(/^(\d+:\d+) /gm)].map(([, name = ""]) => name))
  return {
    cpu: {
      userSeconds: scaled(ticks.user, TICKS_PER_SECOND),
      systemSeconds: scaled(ticks.system, TICKS_PER_SECOND),
      periods: cpu.nr_periods,
      throttledPeriods: cpu.nr_throttled,
      throttledSeconds: scaled(cpu.throttled_time, 1e9),
      periodUs: numberOf(read("cpu", "cpu.cfs_period_us")),
      quotaUs: numberOf(read("cpu", "cpu.cfs_quota_us")),
      shares: numberOf(read("cpu", "cpu.shares")),
    },
    memory: {
      cacheBytes: memory.total_cache,
      mappedFileBytes: memory.total_mapped_file,
      kernelBytes: numberOf(read("memory", "memory.kmem.usage_in_bytes")),
      failures: numberOf(read("memory", "memory.failcnt")),
      oomKills: fieldsOf(read("memory", "memory.oom_control")).oom_kill,
      pageFaults: memory.total_pgfault,
      majorPageFaults: memory.total_pgmajfault,
      limitBytes: bounded(numberOf(read("memory", "memory.limit_in_bytes"))),
      swapLimitBytes: bounded(numberOf(read("memory", "memory.memsw.limit_in_bytes"))),
      reservationBytes: bounded(numberOf(read("memory", "memory.soft_limit_in_bytes"))),
    },
    devices: [...names].map((device) => ({
      device,
      readBytes: named(bytes ?? "", `${device} Read`),
      writtenBytes: named(bytes ?? "", `${device} Write`),
      reads: named(operations ?? "", `${device} Read`),
      writes: named(operations ?? "", `${device} Write`),
    })),
  }
}

function hugepagesOf(directory: string | undefined, isUnified: boolean): CgroupMetrics["hugepages"] {
  if (directory === undefined) return []
  const file = isUnified ? /^hugetlb\.(\w+)\.current$/ : /^hugetlb\.(\w+)\.usage_in_bytes$/
  return namesIn(directory).flatMap((name) => {
    const [, pageSize] = file.exec(name) ?? []
    if (pageSize === undefined) return []
    const peakBytes = isUnified
      ? undefined
      : numberOf(textOf(join(directory, `hugetlb.${pageSize}.max_usage_in_bytes`)))
    return [{ pageSize, usedBytes: numberOf(textOf(join(directory, name))) ?? 0, peakBytes }]
  })
}

function pressureOf(read: Read): CgroupMetrics["pressure"] {
  const kinds = ["cpu", "memory", "io"] as const
  return Object.fromEntries(
    kinds.flatMap((kind) => {
      const pressure = parsePressure(read("", `${kind}.pressure`))
      return pressure === undefined ? [] : [[kind, pressure]]
    }),
  )
}

/** `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`, and the same of `full`. Pure. */
export function parsePressure(text: string): Pressure | undefined {
  const lines = [...text.matchAll(/^(some|full) avg10=(\S+) avg60=(\S+) avg300=(\S+) total=(\d+)$/gm)].map(
    ([, kind = "", avg10, avg60, avg300, total]) => {
      const line = {
        avg10: Number(avg10),
        avg60: Number(avg60),
        avg300: Number(avg300),
        totalMicroseconds: Number(total),
      }
      return [kind, line] as const
    },
  )
  const { some, full } = Object.fromEntries(lines) as { some?: PressureLine; full?: PressureLine }
  return some === undefined ? undefined : { some, ...(full && { full }) }
}

function processesOf(text: string): number[] {
  return text
    .split("\n")
    .filter((line) => line !== "" && line !== "0")
    .map(Number)
}

function descriptorsOf(pids: readonly number[]): Pick<CgroupMetrics, "fileDescriptors" | "sockets"> {
  let [fileDescriptors, sockets] = [0, 0]
  for (const pid of pids.slice(0, MAX_COUNTED_PROCESSES)) {
    const names = namesIn(`/proc/${pid}/fd`)
    const room = MAX_COUNTED_DESCRIPTORS - fileDescriptors
    fileDescriptors += names.length
    for (const name of names.slice(0, Math.max(0, room)))
      if (linkOf(`/proc/${pid}/fd/${name}`).startsWith("socket:")) sockets++
  }
  return { fileDescriptors, sockets }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "latin1")
  } catch {
    return ""
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ""
  }
}

function numberOf(text: string): number | undefined {
  const digits = text.trim()
  return /^-?\d+$/.test(digits) ? Number(digits) : undefined
}

function fieldsOf(text: string): Record<string, number | undefined> {
  return Object.fromEntries([...text.matchAll(/^(\w+) (\d+)$/gm)].map(([, name = "", value]) => [name, Number(value)]))
}

function keyed(line: string, key: string): number {
  return Number(new RegExp(`\\b${key}=(\\d+)`).exec(line)?.[1] ?? 0)
}

function named(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1] ?? 0)
}

function scaled(value: number | undefined, by: number): number | undefined {
  return value === undefined ? undefined : value / by
}

/** v1 writes "no limit" as the largest number of whole pages. */
function bounded(value: number | undefined): number | undefined {
  return value !== undefined && value < 2 ** 62 ? value : undefined
}
