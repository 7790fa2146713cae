/** What the kernel counts of a cgroup, read again and again by descriptors that are kept. */
import { closeSync, openSync, readFileSync, readSync } from "node:fs"
import { join } from "node:path"
import { hasErrno } from "../../base/errors.ts"
import { CGROUP_ROOT } from "./cgroup.ts"

/** Counted since the cgroup was made, and held now; undefined where this host does not count it. */
export interface CgroupCounters {
  cpuNs?: number
  memoryBytes?: number
  /** Of it: cached files that nobody has touched lately, which the kernel gives back when asked. */
  inactiveFileBytes?: number
  /** Of it: what no file backs. */
  anonymousBytes?: number
  swapBytes?: number
  /** Of them the major ones had to be read from a disk. */
  pageFaults?: number
  majorPageFaults?: number
  /** The most that was ever held. */
  memoryPeakBytes?: number
  /** Undefined: no limit. */
  memoryLimitBytes?: number
  blockReadBytes?: number
  blockWrittenBytes?: number
  pids?: number
  pidsLimit?: number
}

/** The directory of each controller; the one of v2 is `""`. */
export type CgroupDirectories = ReadonlyMap<string, string>

/**
 * Where container `id` is, by one of its processes (proc_pid_cgroup(5)): whoever its parent is, and whatever cgroups it has made of its own
 * below. Undefined: it has none of its own.
 */
export function cgroupDirectoriesOf(pid: number, id: string): CgroupDirectories | undefined {
  const found = new Map<string, string>()
  for (const line of textOf(`/proc/${pid}/cgroup`)?.split("\n") ?? []) {
    const [, list = "", path = ""] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    const names = path.split("/")
    const own = names.findIndex((name) => name.includes(id))
    if (own < 0) continue
    const below = names.slice(0, own + 1).join("/")
    if (list !== "") for (const controller of list.split(",")) found.set(controller, join(CGROUP_ROOT, list, below))
    else found.set("", unifiedDirectory(below))
  }
  return found.size === 0 ? undefined : found
}

function unifiedDirectory(below: string): string {
  const hybrid = join(CGROUP_ROOT, "unified", below)
  return textOf(join(hybrid, "cgroup.procs")) === undefined ? join(CGROUP_ROOT, below) : hybrid
}

/** Reads one cgroup. Dispose it. Five or six reads of some 10 µs each. */
export class CgroupReader implements Disposable {
  readonly #directories: CgroupDirectories
  readonly #isUnified: boolean
  readonly #files = new Map<string, number | undefined>()

  constructor(directories: CgroupDirectories) {
    // controllers that are mounted together have one directory: `cpu,cpuacct`
    this.#directories = new Map(
      [...directories].flatMap(([names, path]) => names.split(",").map((name) => [name, path] as const)),
    )
    // a hybrid host counts on v1
    this.#isUnified = !this.#directories.has("memory") && !this.#directories.has("cpuacct")
  }

  /** All undefined once the cgroup is gone. */
  read(): CgroupCounters {
    return this.#isUnified ? this.#readUnified() : this.#readLegacy()
  }

  /** Of these alone what was counted in all: for the end of it, fewer files. */
  totals(): Pick<CgroupCounters, "cpuNs" | "memoryPeakBytes" | "blockReadBytes" | "blockWrittenBytes"> {
    return { ...this.#cpu(), ...this.#peak(), ...this.#blocks() }
  }

  [Symbol.dispose](): void {
    for (const fd of this.#files.values()) if (fd !== undefined) closeSync(fd)
    this.#files.clear()
  }

  /** cgroup-v2.rst. */
  #readUnified(): CgroupCounters {
    const statistics = this.#text("", "memory.stat")
    return {
      ...this.totals(),
      memoryBytes: numberOf(this.#text("", "memory.current")),
      inactiveFileBytes: fieldOf(statistics, "inactive_file"),
      anonymousBytes: fieldOf(statistics, "anon"),
      pageFaults: fieldOf(statistics, "pgfault"),
      majorPageFaults: fieldOf(statistics, "pgmajfault"),
      swapBytes: numberOf(this.#text("", "memory.swap.current")),
      memoryLimitBytes: numberOf(this.#text("", "memory.max")),
      pids: numberOf(this.#text("", "pids.current")),
      pidsLimit: numberOf(this.#text("", "pids.max")),
    }
  }

  /** cgroup-v1: memory.rst, cpuacct.rst, blkio-controller.rst, pids.rst. */
  #readLegacy(): CgroupCounters {
    const limit = numberOf(this.#text("memory", "memory.limit_in_bytes"))
    const statistics = this.#text("memory", "memory.stat")
    return {
      ...this.totals(),
      memoryBytes: numberOf(this.#text("memory", "memory.usage_in_bytes")),
      inactiveFileBytes: fieldOf(statistics, "total_inactive_file"),
      anonymousBytes: fieldOf(statistics, "total_rss"),
      pageFaults: fieldOf(statistics, "total_pgfault"),
      majorPageFaults: fieldOf(statistics, "total_pgmajfault"),
      // where swap is counted
      swapBytes: fieldOf(statistics, "total_swap"),
      // v1 writes "no limit" as the largest number of whole pages
      memoryLimitBytes: limit !== undefined && limit < 2 ** 62 ? limit : undefined,
      pids: numberOf(this.#text("pids", "pids.current")),
      pidsLimit: numberOf(this.#text("pids", "pids.max")),
    }
  }

  #cpu(): Pick<CgroupCounters, "cpuNs"> {
    if (!this.#isUnified) return { cpuNs: numberOf(this.#text("cpuacct", "cpuacct.usage")) }
    const us = fieldOf(this.#text("", "cpu.stat"), "usage_usec")
    return { cpuNs: us === undefined ? undefined : us * 1000 }
  }

  #peak(): Pick<CgroupCounters, "memoryPeakBytes"> {
    const text = this.#isUnified ? this.#text("", "memory.peak") : this.#text("memory", "memory.max_usage_in_bytes")
    return { memoryPeakBytes: numberOf(text) }
  }

  #blocks(): Pick<CgroupCounters, "blockReadBytes" | "blockWrittenBytes"> {
    const text = this.#isUnified
      ? this.#text("", "io.stat")
      : this.#text("blkio", "blkio.throttle.io_service_bytes_recursive")
    if (text === undefined) return { blockReadBytes: undefined, blockWrittenBytes: undefined }
    const [read, written] = this.#isUnified ? [/\brbytes=(\d+)/g, /\bwbytes=(\d+)/g] : [/ Read (\d+)/g, / Write (\d+)/g]
    return { blockReadBytes: sumOf(text, read), blockWrittenBytes: sumOf(text, written) }
  }

  /** The file's text now; undefined where there is none. */
  #text(controller: string, file: string): string | undefined {
    const directory = this.#directories.get(controller)
    if (directory === undefined) return undefined
    if (!this.#files.has(file)) this.#files.set(file, openFile(join(directory, file)))
    const fd = this.#files.get(file)
    if (fd === undefined) return undefined
    try {
      return buffer.toString("latin1", 0, readSync(fd, buffer, 0, buffer.length, 0))
    } catch {
      return undefined // ENODEV: the cgroup was removed
    }
  }
}

/** memory.stat, the longest, has some 2 KiB; one io.stat line a device. */
const buffer = Buffer.allocUnsafe(64 * 1024)

function openFile(path: string): number | undefined {
  try {
    return openSync(path, "r")
  } catch (error) {
    if (hasErrno(error, "ENOENT", "EACCES", "ENODEV")) return undefined
    throw error
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1")
  } catch {
    return undefined
  }
}

function numberOf(text: string | undefined): number | undefined {
  const digits = text?.trim()
  return digits !== undefined && /^\d+$/.test(digits) ? Number(digits) : undefined
}

function fieldOf(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined
  const at = text.startsWith(`${name} `) ? 0 : text.indexOf(`\n${name} `) + 1
  if (at === 0 && !text.startsWith(`${name} `)) return undefined
  return Number.parseInt(text.slice(at + name.length + 1, at + name.length + 25), 10)
}

function sumOf(text: string, pattern: RegExp): number {
  let sum = 0
  for (const [, digits] of text.matchAll(pattern)) sum += Number(digits)
  return sum
}
