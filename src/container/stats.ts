/** What running containers use, read from the kernel: nothing of it runs in a container. */
import { totalmem } from "node:os"
import { performance } from "node:perf_hooks"
import { setTimeout as sleep } from "node:timers/promises"
import { CgroupReader, cgroupDirectoriesOf, type CgroupCounters } from "../sys/process/cgroup-reader.ts"
import { processUsage } from "../sys/process/process-usage.ts"
import { interfaceCounters } from "../sys/net/interface-counters.ts"
import type { Container, ContainerStats, ContainerUsage, StatsOptions } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { isRunning, toContainer } from "./observe.ts"
import type { ContainerRecord } from "./record.ts"

const DEFAULT_INTERVAL_MS = 1000
/** Two readings that far apart are one round: a share of the CPU is of some time. */
const FIRST_INTERVAL_MS = 500

/** See `Containers.stats`. */
export async function* containerStats(
  deps: ContainerDeps,
  { names = [], all = false, select, intervalMs = DEFAULT_INTERVAL_MS, signal }: StatsOptions = {},
): AsyncGenerator<ContainerStats[], void, undefined> {
  const ids = names.map((name) => deps.records.get(name).id)
  const choose = (): ContainerRecord[] => {
    const records =
      names.length > 0
        ? ids.flatMap((id) => deps.records.byId(id) ?? [])
        : all
          ? deps.records.list()
          : deps.records.listUnreconciled()
    return records.filter(
      (record) =>
        (all || names.length > 0 || isRunning(record, deps)) &&
        (select === undefined || select(toContainer(record, deps))),
    )
  }
  using reader = new StatsReader(deps)
  reader.read(choose())
  for (let waitMs = Math.min(FIRST_INTERVAL_MS, intervalMs); ; waitMs = intervalMs) {
    await sleep(waitMs, undefined, { signal }).catch(() => {})
    if (signal?.aborted) return
    const records = choose()
    yield reader.read(records)
    if (names.length > 0 && records.length === 0) return
  }
}

interface Reading {
  timeMs: number
  cpuNs: number
}

/** Reads containers again and again; what it keeps open of one that has ended goes with the next reading. */
export class StatsReader implements Disposable {
  readonly #deps: Pick<ContainerDeps, "bootId" | "runRoot">
  readonly #cgroups = new Map<string, { pid: number; reader: CgroupReader | undefined }>()
  #before = new Map<string, Reading>()

  constructor(deps: Pick<ContainerDeps, "bootId" | "runRoot">) {
    this.#deps = deps
  }

  /** In the order given. Those that do not run have no usage. */
  read(records: readonly ContainerRecord[]): ContainerStats[] {
    const running = new Map(records.flatMap((record) => this.#running(record)))
    this.#forget(running)
    const usages = this.#usages(running)
    const readings = new Map<string, Reading>()
    const stats = records.map((record) => {
      const [container, time] = [toContainer(record, this.#deps), new Date()]
      const [pid, usage] = [running.get(record.id), usages.get(record.id)]
      if (pid === undefined || usage === undefined) return { container, time }
      const [timeMs, before] = [performance.now(), this.#before.get(record.id)]
      if (usage.cpuNs !== undefined) readings.set(record.id, { timeMs, cpuNs: usage.cpuNs })
      return { container, time, usage: toUsage(container, time, { pid, usage, timeMs, before }) }
    })
    this.#before = readings
    return stats
  }

  [Symbol.dispose](): void {
    for (const { reader } of this.#cgroups.values()) reader?.[Symbol.dispose]()
    this.#cgroups.clear()
  }

  #running(record: ContainerRecord): [string, number][] {
    const { pid } = record.state
    return pid !== undefined && isRunning(record, this.#deps) ? [[record.id, pid]] : []
  }

  #forget(running: ReadonlyMap<string, number>): void {
    for (const [id, { pid, reader }] of this.#cgroups)
      if (running.get(id) !== pid) {
        reader?.[Symbol.dispose]()
        this.#cgroups.delete(id)
        this.#before.delete(id)
      }
  }

  #usages(running: ReadonlyMap<string, number>): Map<string, CgroupCounters> {
    const usages = new Map([...running].map(([id, pid]) => [id, this.#cgroup(id, pid)?.read() ?? {}]))
    // an ordinary user has no cgroups, or not all controllers
    const uncounted = [...running].filter(([id]) => {
      const usage = usages.get(id)
      return usage?.cpuNs === undefined || usage.memoryBytes === undefined || usage.pids === undefined
    })
    if (uncounted.length === 0) return usages
    const added = processUsage(uncounted.map(([, pid]) => pid))
    for (const [id, pid] of uncounted) usages.set(id, withDefaults(usages.get(id) ?? {}, added.get(pid)))
    return usages
  }

  #cgroup(id: string, pid: number): CgroupReader | undefined {
    const known = this.#cgroups.get(id)
    if (known) return known.reader
    const directories = cgroupDirectoriesOf(pid, id)
    const reader = directories && new CgroupReader(directories)
    this.#cgroups.set(id, { pid, reader })
    return reader
  }
}

function withDefaults(usage: CgroupCounters, defaults: CgroupCounters = {}): CgroupCounters {
  return { ...defaults, ...Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== undefined)) }
}

interface Observed {
  pid: number
  usage: CgroupCounters
  timeMs: number
  before: Reading | undefined
}

function toUsage(container: Container, time: Date, { pid, usage, timeMs, before }: Observed): ContainerUsage {
  const { cpuNs, memoryBytes, inactiveFileBytes = 0, memoryPeakBytes, memoryLimitBytes } = usage
  const startedAt = "startedAt" in container.state ? container.state.startedAt : undefined
  const ranMs = startedAt === undefined ? 0 : time.getTime() - startedAt.getTime()
  const limitBytes = Math.min(memoryLimitBytes ?? Infinity, totalmem())
  // docker's: what the kernel would give back at once is not counted
  const usedBytes = memoryBytes === undefined ? undefined : Math.max(0, memoryBytes - inactiveFileBytes)
  const sinceBefore = before === undefined ? [0, 0] : [(cpuNs ?? 0) - before.cpuNs, timeMs - before.timeMs]
  return {
    cpu: {
      usedNs: cpuNs,
      percent: share(sinceBefore[0] ?? 0, sinceBefore[1] ?? 0),
      averagePercent: share(cpuNs ?? 0, ranMs),
    },
    memory: {
      usedBytes,
      totalBytes: memoryBytes,
      anonymousBytes: usage.anonymousBytes,
      swapBytes: usage.swapBytes,
      pageFaults: usage.pageFaults,
      majorPageFaults: usage.majorPageFaults,
      peakBytes: memoryPeakBytes,
      limitBytes,
      percent: usedBytes === undefined ? undefined : (usedBytes / limitBytes) * 100,
    },
    // the host's own network is not the container's
    interfaces: container.options.network.kind === "host" ? [] : (interfaceCounters(pid) ?? []),
    block: { readBytes: usage.blockReadBytes, writtenBytes: usage.blockWrittenBytes },
    pids: { count: usage.pids, limit: usage.pidsLimit },
  }
}

/** Of one processor, in percent. */
function share(usedNs: number, ms: number): number {
  return ms <= 0 ? 0 : (Math.max(0, usedNs) / (ms * 1e6)) * 100
}
