import { shortId } from "../../base/short-id.ts"
import type { CheckpointResult } from "../../container/container.ts"
import type { Out } from "../out.ts"

/** Podman's document of `--print-stats`. */
export function printStats(out: Out, verb: "checkpoint" | "restore", results: readonly CheckpointResult[]): void {
  const duration = results.reduce((sum, { runtimeMicroseconds }) => sum + runtimeMicroseconds, 0)
  out.json({
    [`podman_${verb}_duration`]: duration,
    container_statistics: results.map(({ id, runtimeMicroseconds, stats }) => ({
      Id: id,
      [`runtime_${verb}_duration`]: runtimeMicroseconds,
      criu_statistics: stats,
    })),
  })
}

/** For how long the programs stood still. */
export function noteFrozen(out: Out, { id, frozenMicroseconds }: CheckpointResult): void {
  if (frozenMicroseconds === undefined) return
  out.note(`${shortId(id)}: frozen for ${(frozenMicroseconds / 1000).toFixed(1)} ms`)
}
