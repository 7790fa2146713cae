import type { Database } from "../base/database.ts"

/** The time between two samples of all running containers; undefined: nobody has to stay for them. Costs one look. */
export function readSampling(db: Database): number | undefined {
  return db.get<{ interval_ms: number }>("SELECT interval_ms FROM meter_sampling")?.interval_ms
}

/** Undefined: off. Safe to repeat. */
export function writeSampling(db: Database, intervalMs: number | undefined): void {
  db.transaction(() => {
    db.run("DELETE FROM meter_sampling")
    if (intervalMs !== undefined) db.run("INSERT INTO meter_sampling (interval_ms) VALUES (?)", intervalMs)
  })
}
