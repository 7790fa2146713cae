import type { ContainerStats } from "../container/container.ts"
import { statsRow } from "./stats-row.ts"

/** A line of `pod stats`: the fields that podman's templates name. */
export function podStatsRow(stats: ContainerStats): Record<string, unknown> {
  const row = statsRow(stats) as Record<string, unknown>
  return {
    Pod: stats.container.options.pod?.id.slice(0, 12) ?? "",
    CID: row.ID,
    Name: row.Name,
    CPU: row.CPUPerc,
    MemUsage: row.MemUsage,
    MemUsageBytes: row.MemUsageBytes,
    Mem: row.MemPerc,
    NetIO: row.NetIO,
    BlockIO: row.BlockIO,
    PIDS: row.PIDs,
  }
}

/** Column titles of its fields. */
export const POD_STATS_TITLES = {
  Pod: "POD",
  CID: "CID",
  Name: "NAME",
  CPU: "CPU %",
  MemUsage: "MEM USAGE/ LIMIT",
  MemUsageBytes: "MEM USAGE/ LIMIT",
  Mem: "MEM %",
  NetIO: "NET IO",
  BlockIO: "BLOCK IO",
  PIDS: "PIDS",
}
