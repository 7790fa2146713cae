/** Statistics of containers and of sandboxes. */
import { cgroupMetrics, type Pressure } from "../../sys/process/cgroup-metrics.ts"
import { detectCgroups } from "../../sys/process/cgroup.ts"
import { cgroupDirectoriesOf } from "../../sys/process/cgroup-reader.ts"
import { containerOf, fitsLabels, inParts, nanoseconds, podOf, type CriContext, type FoundPod } from "../context.ts"
import type * as Cri from "../protocol/messages.ts"
import type { Handlers, Sent } from "../protocol/service.ts"
import { containersOf } from "./container-status.ts"
import { listPods } from "./sandboxes.ts"
import type { Reading, Usages } from "./usage.ts"

type Calls = Handlers<
  Pick<
    Cri.RuntimeServiceCalls,
    | "ContainerStats"
    | "ListContainerStats"
    | "StreamContainerStats"
    | "PodSandboxStats"
    | "ListPodSandboxStats"
    | "StreamPodSandboxStats"
  >
>

export function statsCalls(context: CriContext, usages: Usages): Calls {
  return {
    async ContainerStats({ container_id: id }) {
      const [reading] = await usages.read([await containerOf(context, id)])
      return { stats: reading === undefined ? null : await containerStats(context, reading) }
    },

    async ListContainerStats({ filter }) {
      return { stats: await listed(context, usages, filter) }
    },

    async *StreamContainerStats({ filter }) {
      for (const container_stats of inParts(await listed(context, usages, filter))) yield { container_stats }
    },

    async PodSandboxStats({ pod_sandbox_id: id }) {
      const [stats = null] = await podStats(context, usages, [await podOf(context, id)])
      return { stats }
    },

    async ListPodSandboxStats({ filter }) {
      return { stats: await podsListed(context, usages, filter) }
    },

    async *StreamPodSandboxStats({ filter }) {
      for (const pod_sandbox_stats of inParts(await podsListed(context, usages, filter))) yield { pod_sandbox_stats }
    },
  }
}

async function listed(
  context: CriContext,
  usages: Usages,
  filter: Cri.ContainerStatsFilter | null,
): Promise<Sent<Cri.ContainerStats>[]> {
  const found = await containersOf(context, {
    id: filter?.id,
    podId: filter?.pod_sandbox_id,
    labels: filter?.label_selector,
    state: "CONTAINER_RUNNING",
  })
  return Promise.all((await usages.read(found)).map((reading) => containerStats(context, reading)))
}

async function podsListed(
  context: CriContext,
  usages: Usages,
  filter: Cri.PodSandboxStatsFilter | null,
): Promise<Sent<Cri.PodSandboxStats>[]> {
  const pods = (await listPods(context, { id: filter?.id ?? "" })).filter(({ pod }) =>
    fitsLabels(pod.options.labels, filter?.label_selector),
  )
  return podStats(context, usages, pods)
}

const value = (number: number | undefined): { value: string } => ({
  value: String(Math.max(0, Math.round(number ?? 0))),
})

async function containerStats({ engine, root }: CriContext, reading: Reading): Promise<Sent<Cri.ContainerStats>> {
  const { found, time, usage, writableBytes } = reading
  const timestamp = nanoseconds(time)
  const pressure = pressureOf(reading)
  const mountpoint = await (await engine.containers()).mountPoint(found.container.id)
  return {
    attributes: {
      id: found.container.id,
      metadata: found.note.metadata,
      labels: found.container.options.labels,
      annotations: found.note.annotations,
    },
    ...(usage && {
      cpu: { ...cpuOf([reading], timestamp), psi: psiOf(pressure.cpu) },
      memory: { ...memoryOf([reading], timestamp, usage.memory.limitBytes), psi: psiOf(pressure.memory) },
      ...(pressure.io && { io: { timestamp, psi: psiOf(pressure.io) } }),
      swap: { timestamp, swap_usage_bytes: value(usage.memory.swapBytes), swap_available_bytes: value(0) },
    }),
    writable_layer: {
      timestamp,
      fs_id: { mountpoint: mountpoint ?? (await root()) },
      used_bytes: value(writableBytes),
      inodes_used: value(0),
    },
  }
}

/** Only where the kernel counts it for each cgroup (v2). */
function pressureOf({ found: { container } }: Reading): ReturnType<typeof cgroupMetrics>["pressure"] {
  if (!isUnified() || !("pid" in container.state)) return {}
  const directories = cgroupDirectoriesOf(container.state.pid, container.id)
  return directories === undefined ? {} : cgroupMetrics(directories).pressure
}

function isUnified(): boolean {
  return detectCgroups().version === "v2"
}

function psiOf(pressure: Pressure | undefined): Sent<Cri.PsiStats> | null {
  return pressure === undefined ? null : { Some: psiData(pressure.some), Full: psiData(pressure.full) }
}

function psiData(line: Pressure["full"]): Sent<Cri.PsiData> | null {
  if (line === undefined) return null
  const { avg10: Avg10, avg60: Avg60, avg300: Avg300, totalMicroseconds } = line
  return { Total: String(totalMicroseconds * 1000), Avg10, Avg60, Avg300 }
}

function cpuOf(readings: readonly Reading[], timestamp: string): Sent<Cri.CpuUsage> {
  const known = readings.flatMap(({ nanoCores }) => nanoCores ?? [])
  return {
    timestamp,
    usage_core_nano_seconds: value(sum(readings, ({ usage }) => usage?.cpu.usedNs)),
    ...(known.length > 0 && { usage_nano_cores: value(known.reduce((total, one) => total + one, 0)) }),
  }
}

function memoryOf(readings: readonly Reading[], timestamp: string, limitBytes?: number): Sent<Cri.MemoryUsage> {
  const working = sum(readings, ({ usage }) => usage?.memory.usedBytes)
  return {
    timestamp,
    working_set_bytes: value(working),
    available_bytes: value(limitBytes === undefined ? 0 : limitBytes - working),
    usage_bytes: value(sum(readings, ({ usage }) => usage?.memory.totalBytes)),
    rss_bytes: value(sum(readings, ({ usage }) => usage?.memory.anonymousBytes)),
    page_faults: value(sum(readings, ({ usage }) => usage?.memory.pageFaults)),
    major_page_faults: value(sum(readings, ({ usage }) => usage?.memory.majorPageFaults)),
  }
}

function sum(readings: readonly Reading[], of: (reading: Reading) => number | undefined): number {
  return readings.reduce((total, reading) => total + (of(reading) ?? 0), 0)
}

/** All of them by one reading. No process of ours is in a sandbox, so that it uses what its containers do. */
async function podStats(
  context: CriContext,
  usages: Usages,
  pods: readonly FoundPod[],
): Promise<Sent<Cri.PodSandboxStats>[]> {
  const [only] = pods.length === 1 ? pods : []
  const running = await containersOf(context, { podId: only?.pod.id, state: "CONTAINER_RUNNING" })
  const ids = new Set(pods.map(({ pod }) => pod.id as string))
  const readings = await usages.read(running.filter(({ podId }) => ids.has(podId)))
  const byPod = Map.groupBy(readings, ({ found }) => found.podId)
  return Promise.all(pods.map((found) => oneOf(context, found, byPod.get(found.pod.id) ?? [])))
}

async function oneOf(
  context: CriContext,
  { pod, note }: FoundPod,
  readings: readonly Reading[],
): Promise<Sent<Cri.PodSandboxStats>> {
  const timestamp = nanoseconds(Date.now())
  const interfaces = (readings.find(({ usage }) => usage !== undefined)?.usage?.interfaces ?? []).map(
    (one): Sent<Cri.NetworkInterfaceUsage> => ({
      name: one.name,
      rx_bytes: value(one.receivedBytes),
      rx_errors: value(one.receivedErrors),
      tx_bytes: value(one.sentBytes),
      tx_errors: value(one.sentErrors),
    }),
  )
  const [first, ...others] = interfaces
  return {
    attributes: {
      id: pod.id,
      metadata: note.metadata,
      labels: pod.options.labels ?? {},
      annotations: note.annotations,
    },
    linux: {
      cpu: cpuOf(readings, timestamp),
      memory: memoryOf(readings, timestamp),
      ...(first && { network: { timestamp, default_interface: first, interfaces: others } }),
      process: { timestamp, process_count: value(sum(readings, ({ usage }) => usage?.pids.count)) },
      containers: await Promise.all(readings.map((reading) => containerStats(context, reading))),
    },
  }
}
