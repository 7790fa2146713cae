import type { EndpointTraffic } from "../network/network.ts"
import type { MeterSample } from "../meter/meter.ts"
import type { ContainerUsage } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { meteredRun } from "./metering.ts"
import type { RecordState } from "./record.ts"
import { isRunning } from "./observe.ts"
import { StatsReader } from "./stats.ts"

/** See `Containers.meterRunning`. */
export async function meterRunning(deps: ContainerDeps): Promise<void> {
  const records = deps.records
    .listUnreconciled()
    .filter((record) => record.state.startedAt !== undefined && isRunning(record, deps))
  if (records.length === 0) return
  using reader = new StatsReader(deps)
  const stats = reader.read(records)
  const samples = records.flatMap((record, index) => {
    const { usage, time } = stats[index] ?? {}
    if (usage === undefined || time === undefined) return []
    return [{ run: meteredRun(record), sample: toSample(usage, time, record.state) }]
  })
  const meter = await deps.meter()
  await deps.records.whenFree()
  meter.sample(samples)
}

/** A network namespace that is shared is counted where it belongs. */
function toSample({ cpu, memory, block, interfaces }: ContainerUsage, at: Date, state: RecordState): MeterSample {
  const { attachments, leftTraffic = { receivedBytes: 0, sentBytes: 0 } } = state
  const hasNetwork = attachments.length > 0 || state.leftTraffic !== undefined
  const sum = (bytes: (one: EndpointTraffic) => number): number =>
    [...interfaces, leftTraffic].reduce((total, one) => total + bytes(one), 0)
  return {
    at,
    cpuNs: cpu.usedNs,
    readBytes: block.readBytes,
    writtenBytes: block.writtenBytes,
    memoryBytes: memory.usedBytes,
    memoryPeakBytes: memory.peakBytes,
    ...(hasNetwork && {
      receivedBytes: sum(({ receivedBytes }) => receivedBytes),
      sentBytes: sum(({ sentBytes }) => sentBytes),
    }),
  }
}
