import type { ContainerStats } from "../container/container.ts"
import { statsRow } from "../docker/stats-row.ts"

/** An element of what podman's `stats --format json` prints. */
export function podmanStatsDocument(stats: ContainerStats): object {
  const row = statsRow(stats) as Record<string, string>
  return {
    id: row.ID,
    name: row.Name,
    cpu_time: row.CPUTime,
    cpu_percent: row.CPUPerc,
    avg_cpu: row.AVGCPU,
    mem_usage: row.MemUsage,
    mem_percent: row.MemPerc,
    net_io: row.NetIO,
    block_io: row.BlockIO,
    pids: row.PIDS,
  }
}
