import { join } from "node:path"
import type { Checkpoints } from "../runtime.ts"
import { dump, requireCriu } from "./criu.ts"
import { reason } from "./log.ts"
import { readStats } from "./stats.ts"

/** See `Checkpoints`. */
export const CHECKPOINTS: Checkpoints = {
  require: requireCriu,
  dump,
  stats: (workDirectory, kind) => readStats(join(workDirectory, `stats-${kind}`), kind),
  restoreFailure: (workDirectory) => reason(join(workDirectory, "restore.log"), "") || undefined,
}
