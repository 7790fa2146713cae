/** Metrics by the names that cAdvisor gave them, so that dashboards know them. */
import { readFileSync, statfsSync } from "node:fs"
import { cgroupDirectoriesOf } from "../../sys/process/cgroup-reader.ts"
import { cgroupMetrics, type CgroupMetrics } from "../../sys/process/cgroup-metrics.ts"
import { inParts, type CriContext } from "../context.ts"
import type * as Cri from "../protocol/messages.ts"
import type { Handlers, Sent } from "../protocol/service.ts"
import { containersOf, stateOf } from "./container-status.ts"
import { listPods } from "./sandboxes.ts"
import type { Reading, Usages } from "./usage.ts"

type Calls = Handlers<
  Pick<Cri.RuntimeServiceCalls, "ListMetricDescriptors" | "ListPodSandboxMetrics" | "StreamPodSandboxMetrics">
>

/** Every metric has these first. */
const LABELS = ["id", "name", "image"]

/** What one container has, read at one moment. */
interface Sources {
  reading: Reading
  counted?: CgroupMetrics
  /** Where its files are. */
  files: { device: string; totalBytes: number; totalInodes: number; freeInodes: number }
  softLimits: readonly { name: string; value: number }[]
}

/** A number, with the values of the labels that this metric has beyond those of all. */
type Value = number | undefined | readonly { labels: readonly string[]; value: number }[]

interface Known {
  name: string
  help: string
  type: Cri.MetricType
  more?: readonly string[]
  of(sources: Sources): Value
}

const counter = (name: string, help: string, of: Known["of"], more?: readonly string[]): Known => ({
  name: `container_${name}`,
  help,
  type: "COUNTER",
  of,
  more,
})
const gauge = (name: string, help: string, of: Known["of"], more?: readonly string[]): Known => ({
  ...counter(name, help, of, more),
  type: "GAUGE",
})
const device =
  (of: (one: CgroupMetrics["devices"][number]) => number): Known["of"] =>
  ({ counted }) =>
    counted?.devices.map((one) => ({ labels: [one.device], value: of(one) }))
const ofFiles =
  (of: (one: Sources["files"], sources: Sources) => number): Known["of"] =>
  (sources) => [{ labels: [sources.files.device], value: of(sources.files, sources) }]
const pressure =
  (kind: "cpu" | "memory" | "io", line: "some" | "full"): Known["of"] =>
  ({ counted }) => {
    const microseconds = counted?.pressure[kind]?.[line]?.totalMicroseconds
    return microseconds === undefined ? undefined : microseconds / 1e6
  }

const OF_CONTAINERS: readonly Known[] = [
  counter(
    "blkio_device_usage_total",
    "Bytes that block devices carried, by operation",
    ({ counted }) =>
      counted?.devices.flatMap((one) => [
        { labels: [one.device, "Read"], value: one.readBytes },
        { labels: [one.device, "Write"], value: one.writtenBytes },
      ]),
    ["device", "operation"],
  ),
  counter(
    "cpu_cfs_periods_total",
    "Periods of the CPU limit that have passed",
    ({ counted }) => counted?.cpu.periods ?? 0,
  ),
  counter(
    "cpu_cfs_throttled_periods_total",
    "Periods in which the limit was reached",
    ({ counted }) => counted?.cpu.throttledPeriods ?? 0,
  ),
  counter(
    "cpu_cfs_throttled_seconds_total",
    "Time for which the limit held it back, in seconds",
    ({ counted }) => counted?.cpu.throttledSeconds ?? 0,
  ),
  counter(
    "cpu_system_seconds_total",
    "CPU time in the kernel, in seconds",
    ({ counted }) => counted?.cpu.systemSeconds ?? 0,
  ),
  counter(
    "cpu_usage_seconds_total",
    "CPU time, in seconds",
    ({ reading: { usage } }) => (usage?.cpu.usedNs ?? 0) / 1e9,
  ),
  counter(
    "cpu_user_seconds_total",
    "CPU time outside of the kernel, in seconds",
    ({ counted }) => counted?.cpu.userSeconds ?? 0,
  ),
  gauge("file_descriptors", "Open file descriptors of its processes", ({ counted }) => counted?.fileDescriptors ?? 0),
  gauge(
    "fs_inodes_free",
    "Inodes that are free on the file system of its files",
    ofFiles((one) => one.freeInodes),
    ["device"],
  ),
  gauge(
    "fs_inodes_total",
    "Inodes of the file system of its files",
    ofFiles((one) => one.totalInodes),
    ["device"],
  ),
  gauge(
    "fs_limit_bytes",
    "Bytes of the file system of its files",
    ofFiles((one) => one.totalBytes),
    ["device"],
  ),
  counter(
    "fs_reads_bytes_total",
    "Bytes read from block devices",
    device((one) => one.readBytes),
    ["device"],
  ),
  counter(
    "fs_reads_total",
    "Reads from block devices",
    device((one) => one.reads),
    ["device"],
  ),
  gauge(
    "fs_usage_bytes",
    "Bytes that it has written to its files",
    ofFiles((_, { reading }) => reading.writableBytes),
    ["device"],
  ),
  counter(
    "fs_writes_bytes_total",
    "Bytes written to block devices",
    device((one) => one.writtenBytes),
    ["device"],
  ),
  counter(
    "fs_writes_total",
    "Writes to block devices",
    device((one) => one.writes),
    ["device"],
  ),
  gauge(
    "hugetlb_max_usage_bytes",
    "The most that it had of huge pages, in bytes",
    ({ counted }) =>
      counted?.hugepages.flatMap(({ pageSize, peakBytes }) =>
        peakBytes === undefined ? [] : [{ labels: [pageSize], value: peakBytes }],
      ),
    ["pagesize"],
  ),
  gauge(
    "hugetlb_usage_bytes",
    "What it has of huge pages, in bytes",
    ({ counted }) => counted?.hugepages.map(({ pageSize, usedBytes }) => ({ labels: [pageSize], value: usedBytes })),
    ["pagesize"],
  ),
  gauge(
    "last_seen",
    "When it was last seen, in seconds since the epoch",
    ({ reading: { time } }) => time.getTime() / 1000,
  ),
  gauge("memory_cache", "Memory that holds files, in bytes", ({ counted }) => counted?.memory.cacheBytes ?? 0),
  counter("memory_failcnt", "How often it came to its limit of memory", ({ counted }) => counted?.memory.failures ?? 0),
  counter(
    "memory_failures_total",
    "Page faults, by kind",
    ({ counted }) => [
      { labels: ["pgfault", "container"], value: counted?.memory.pageFaults ?? 0 },
      { labels: ["pgmajfault", "container"], value: counted?.memory.majorPageFaults ?? 0 },
    ],
    ["failure_type", "scope"],
  ),
  gauge(
    "memory_kernel_usage",
    "Memory that the kernel has for it, in bytes",
    ({ counted }) => counted?.memory.kernelBytes ?? 0,
  ),
  gauge(
    "memory_mapped_file",
    "Memory in which files are mapped, in bytes",
    ({ counted }) => counted?.memory.mappedFileBytes ?? 0,
  ),
  gauge(
    "memory_max_usage_bytes",
    "The most memory that it ever had, in bytes",
    ({ reading: { usage } }) => usage?.memory.peakBytes ?? 0,
  ),
  gauge(
    "memory_rss",
    "Memory that no file backs, in bytes",
    ({ reading: { usage } }) => usage?.memory.anonymousBytes ?? 0,
  ),
  gauge("memory_swap", "Swap, in bytes", ({ reading: { usage } }) => usage?.memory.swapBytes ?? 0),
  gauge("memory_usage_bytes", "All of its memory, in bytes", ({ reading: { usage } }) => usage?.memory.totalBytes ?? 0),
  gauge(
    "memory_working_set_bytes",
    "Memory without cached files that nobody has touched lately, in bytes",
    ({ reading: { usage } }) => usage?.memory.usedBytes ?? 0,
  ),
  counter(
    "oom_events_total",
    "Processes that the kernel has killed for want of memory",
    ({ counted }) => counted?.memory.oomKills ?? 0,
  ),
  counter(
    "pressure_cpu_stalled_seconds_total",
    "Time for which none of it had a CPU, in seconds",
    pressure("cpu", "full"),
  ),
  counter(
    "pressure_cpu_waiting_seconds_total",
    "Time for which some of it waited for a CPU, in seconds",
    pressure("cpu", "some"),
  ),
  counter(
    "pressure_io_stalled_seconds_total",
    "Time for which all of it waited for devices, in seconds",
    pressure("io", "full"),
  ),
  counter(
    "pressure_io_waiting_seconds_total",
    "Time for which some of it waited for devices, in seconds",
    pressure("io", "some"),
  ),
  counter(
    "pressure_memory_stalled_seconds_total",
    "Time for which all of it waited for memory, in seconds",
    pressure("memory", "full"),
  ),
  counter(
    "pressure_memory_waiting_seconds_total",
    "Time for which some of it waited for memory, in seconds",
    pressure("memory", "some"),
  ),
  gauge("processes", "Processes", ({ counted, reading: { usage } }) => counted?.processes ?? usage?.pids.count ?? 0),
  gauge("sockets", "Open sockets of its processes", ({ counted }) => counted?.sockets ?? 0),
  gauge("spec_cpu_period", "Period of its CPU limit, in microseconds", ({ counted }) => counted?.cpu.periodUs ?? 0),
  gauge("spec_cpu_quota", "CPU time in each period, in microseconds", ({ counted }) => counted?.cpu.quotaUs),
  gauge("spec_cpu_shares", "Its share of the CPU beside others", ({ counted }) => counted?.cpu.shares ?? 0),
  gauge("spec_memory_limit_bytes", "Limit of memory, in bytes", ({ counted }) => counted?.memory.limitBytes ?? 0),
  gauge(
    "spec_memory_reservation_limit_bytes",
    "Memory that is left to it when memory is short, in bytes",
    ({ counted }) => counted?.memory.reservationBytes ?? 0,
  ),
  gauge(
    "spec_memory_swap_limit_bytes",
    "Limit of swap, in bytes",
    ({ counted }) => counted?.memory.swapLimitBytes ?? 0,
  ),
  gauge("start_time_seconds", "When it was started, in seconds since the epoch", ({ reading: { found } }) =>
    "startedAt" in found.container.state ? (found.container.state.startedAt?.getTime() ?? 0) / 1000 : 0,
  ),
  gauge("threads", "Threads", ({ counted, reading: { usage } }) => counted?.threads ?? usage?.pids.count ?? 0),
  gauge("threads_max", "Limit of threads; 0: none", ({ counted }) => counted?.threadsLimit ?? 0),
  gauge(
    "ulimits_soft",
    "Soft limits of its first process; the largest number: none",
    (sources) => sources.softLimits.map(({ name, value }) => ({ labels: [name], value })),
    ["ulimit"],
  ),
]

type Counters = NonNullable<Reading["usage"]>["interfaces"][number]

const ofInterface = (name: string, help: string, of: (one: Counters) => number) => ({
  name: `container_network_${name}_total`,
  help,
  of,
})

const OF_INTERFACES = [
  ofInterface("receive_bytes", "Bytes received", (one) => one.receivedBytes),
  ofInterface("receive_errors", "Errors while receiving", (one) => one.receivedErrors),
  ofInterface("receive_packets_dropped", "Packets dropped while receiving", (one) => one.receivedDropped),
  ofInterface("receive_packets", "Packets received", (one) => one.receivedPackets),
  ofInterface("transmit_bytes", "Bytes sent", (one) => one.sentBytes),
  ofInterface("transmit_errors", "Errors while sending", (one) => one.sentErrors),
  ofInterface("transmit_packets_dropped", "Packets dropped while sending", (one) => one.sentDropped),
  ofInterface("transmit_packets", "Packets sent", (one) => one.sentPackets),
]

export function metricsCalls(context: CriContext, usages: Usages): Calls {
  return {
    async ListMetricDescriptors() {
      return {
        descriptors: [
          ...OF_CONTAINERS.map(({ name, help, more = [] }) => ({ name, help, label_keys: [...LABELS, ...more] })),
          ...OF_INTERFACES.map(({ name, help }) => ({ name, help, label_keys: [...LABELS, "interface"] })),
        ],
      }
    },

    async ListPodSandboxMetrics() {
      return { pod_metrics: await podMetrics(context, usages) }
    },

    async *StreamPodSandboxMetrics() {
      for (const pod_sandbox_metrics of inParts(await podMetrics(context, usages))) yield { pod_sandbox_metrics }
    },
  }
}

async function podMetrics(context: CriContext, usages: Usages): Promise<Sent<Cri.PodSandboxMetrics>[]> {
  const running = (await containersOf(context, {})).filter(
    ({ container }) => stateOf(container) === "CONTAINER_RUNNING",
  )
  const byPod = Map.groupBy(await usages.read(running), ({ found }) => found.podId)
  const files = fileSystem(await context.root())
  return (await listPods(context, null)).map(({ pod }) => {
    const readings = byPod.get(pod.id) ?? []
    const interfaces = readings[0]?.usage?.interfaces ?? []
    return {
      pod_sandbox_id: pod.id,
      metrics: OF_INTERFACES.flatMap(({ name, of }) =>
        interfaces.map((one) => metric(name, "COUNTER", of(one), [pod.id, pod.name, "", one.name])),
      ),
      container_metrics: readings.map((reading) => ({
        container_id: reading.found.container.id,
        metrics: metricsOf(sourcesOf(reading, files)),
      })),
    }
  })
}

function sourcesOf(reading: Reading, files: Sources["files"]): Sources {
  const { id, state } = reading.found.container
  const pid = "pid" in state ? state.pid : undefined
  const directories = pid === undefined ? undefined : cgroupDirectoriesOf(pid, id)
  return {
    reading,
    files,
    softLimits: pid === undefined ? [] : softLimits(pid),
    ...(directories && { counted: cgroupMetrics(directories) }),
  }
}

function fileSystem(root: string): Sources["files"] {
  const { blocks, bsize, files, ffree } = statfsSync(root)
  return { device: root, totalBytes: blocks * bsize, totalInodes: files, freeInodes: ffree }
}

/** proc_pid_limits(5) */
function softLimits(pid: number): Sources["softLimits"] {
  try {
    const text = readFileSync(`/proc/${pid}/limits`, "latin1")
    return [...text.matchAll(/^Max (.+?) {2,}(unlimited|\d+) /gm)].map(([, name = "", value]) => ({
      name: name.replaceAll(" ", "_"),
      value: value === "unlimited" ? -1 : Number(value),
    }))
  } catch {
    return []
  }
}

function metricsOf(sources: Sources): Sent<Cri.Metric>[] {
  const { container } = sources.reading.found
  const labels = [container.id, container.name, container.imageName]
  return OF_CONTAINERS.flatMap(({ name, type, of }) => {
    const value = of(sources)
    if (value === undefined) return []
    if (typeof value === "number") return [metric(name, type, value, labels)]
    return value.map((one) => metric(name, type, one.value, [...labels, ...one.labels]))
  })
}

/** Whole numbers are all that the protocol has; "no limit" is its largest. */
function metric(name: string, type: Cri.MetricType, number: number, labels: string[]): Sent<Cri.Metric> {
  const value = number < 0 ? String(2n ** 64n - 1n) : String(Math.round(number))
  return { name, timestamp: "0", metric_type: type, label_values: labels, value: { value } }
}
