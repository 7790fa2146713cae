import { formatBinarySize, formatSize } from "../base/sizes.ts"
import type { ContainerStats, ContainerUsage } from "../container/container.ts"
import { formatDuration } from "../spec/docker/duration.ts"
import { formatSpan } from "./ages.ts"
import { hide } from "./hidden-fields.ts"

const SHORT_ID = 12
/** What the host does not count. */
const UNKNOWN = "--"

/** A line of `stats`: the fields that docker's templates name, then those of podman's. */
export function statsRow(
  { container, time, usage }: ContainerStats,
  { noTrunc = false }: { noTrunc?: boolean } = {},
): object {
  const { id, name, state } = container
  const ranMs = "startedAt" in state && state.startedAt && usage ? time.getTime() - state.startedAt.getTime() : 0
  const { cpu, memory, pids } = usage ?? {}
  const [memoryBytes, limitBytes] = usage ? [memory?.usedBytes, memory?.limitBytes ?? 0] : [0, 0]
  const [received, sent] = networkBytes(usage)
  const percent = usage ? memory?.percent : 0
  const memoryPercent = percent === undefined ? UNKNOWN : `${percent.toFixed(2)}%`
  const count = usage ? (pids?.count ?? UNKNOWN) : 0
  const docker = {
    BlockIO: usage ? pair(usage.block.readBytes, usage.block.writtenBytes, formatSize) : "0B / 0B",
    CPUPerc: percentText(cpu?.percent),
    Container: noTrunc ? id : id.slice(0, SHORT_ID),
    ID: noTrunc ? id : id.slice(0, SHORT_ID),
    MemPerc: memoryPercent,
    MemUsage: pair(memoryBytes, limitBytes, formatBinarySize),
    Name: name,
    NetIO: pair(received, sent, formatSize),
    PIDs: String(count),
  }
  return hide(docker, {
    AVGCPU: percentText(cpu?.averagePercent),
    AvgCPU: cpu?.averagePercent ?? 0,
    BlockInput: usage?.block.readBytes ?? 0,
    BlockOutput: usage?.block.writtenBytes ?? 0,
    CPU: cpu?.percent ?? 0,
    CPUNano: cpu?.usedNs ?? 0,
    CPUTime: formatDuration(cpu?.usedNs ?? 0),
    ContainerID: id,
    Duration: Math.round(ranMs * 1e6),
    MemLimit: limitBytes,
    MemUsageBytes: pair(memoryBytes, limitBytes, (bytes) => `${bytes}B`),
    NetInput: received,
    NetOutput: sent,
    PIDS: String(count),
    SystemNano: time.getTime() * 1e6,
    Up: formatSpan(ranMs),
    UpTime: formatDuration(Math.round(ranMs * 1e6)),
  })
}

/** Column titles of its fields. */
export const STATS_TITLES = {
  AVGCPU: "AVG CPU %",
  AvgCPU: "AVG CPU %",
  BlockIO: "BLOCK I/O",
  BlockInput: "BLOCK INPUT",
  BlockOutput: "BLOCK OUTPUT",
  CPU: "CPU",
  CPUNano: "CPU NANO",
  CPUPerc: "CPU %",
  CPUTime: "CPU TIME",
  Container: "CONTAINER",
  ContainerID: "CONTAINER ID",
  Duration: "DURATION",
  ID: "CONTAINER ID",
  MemLimit: "MEM LIMIT",
  MemPerc: "MEM %",
  MemUsage: "MEM USAGE / LIMIT",
  MemUsageBytes: "MEM USAGE / LIMIT",
  Name: "NAME",
  NetIO: "NET I/O",
  NetInput: "NET INPUT",
  NetOutput: "NET OUTPUT",
  PIDS: "PIDS",
  PIDs: "PIDS",
  SystemNano: "SYSTEM NANO",
  Up: "UP",
  UpTime: "UPTIME",
}

/** Of all its interfaces together. */
function networkBytes(usage: ContainerUsage | undefined): [received: number, sent: number] {
  const interfaces = usage?.interfaces ?? []
  return [
    interfaces.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0),
    interfaces.reduce((sum, { sentBytes }) => sum + sentBytes, 0),
  ]
}

function pair(one: number | undefined, other: number | undefined, format: (bytes: number) => string): string {
  return [one, other].map((bytes) => (bytes === undefined ? UNKNOWN : format(bytes))).join(" / ")
}

function percentText(value = 0): string {
  return `${value.toFixed(2)}%`
}
