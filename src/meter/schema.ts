import type { Schema } from "../base/database.ts"

/**
 * A run has what was counted at its last sample, a slice what came in its time. Numbers are REAL: nanoseconds of many processors
 * outgrow what a number holds exactly. Times are milliseconds since the epoch. `labels` is a map of strings by definition, so that its
 * JSON needs no version.
 */
export const meterSchema: Schema = {
  domain: "meter",
  steps: [
    `CREATE TABLE meter_runs (
      id INTEGER PRIMARY KEY,
      container_id TEXT NOT NULL,
      started_at INTEGER NOT NULL,
      name TEXT NOT NULL,
      image TEXT NOT NULL,
      labels TEXT NOT NULL,
      uid INTEGER NOT NULL,
      sampled_at INTEGER NOT NULL,
      ended INTEGER NOT NULL,
      longest_gap_ms INTEGER NOT NULL,
      is_bound INTEGER NOT NULL,
      cpu_ns REAL NOT NULL,
      read_bytes REAL NOT NULL,
      written_bytes REAL NOT NULL,
      received_bytes REAL NOT NULL,
      sent_bytes REAL NOT NULL,
      memory_bytes REAL,
      UNIQUE (container_id, started_at)
    ) STRICT;
    CREATE TABLE meter_slices (
      run_id INTEGER NOT NULL REFERENCES meter_runs (id) ON DELETE CASCADE,
      from_ms INTEGER NOT NULL,
      to_ms INTEGER NOT NULL,
      cpu_ns REAL NOT NULL,
      memory_byte_ms REAL NOT NULL,
      read_bytes REAL NOT NULL,
      written_bytes REAL NOT NULL,
      received_bytes REAL NOT NULL,
      sent_bytes REAL NOT NULL,
      PRIMARY KEY (run_id, from_ms)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX meter_slices_to ON meter_slices (to_ms)`,
    // one row, or none: nobody samples
    `CREATE TABLE meter_sampling (interval_ms INTEGER NOT NULL) STRICT`,
  ],
}
