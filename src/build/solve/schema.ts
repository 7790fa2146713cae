import type { Schema } from "../../base/database.ts"

/**
 * The build cache. A record is one step's layer: its snapshot, which keeps all below it; keys lead to it, several of them
 * when several ways of asking mean the same. `diff_id` and sizes are there once the layer has been read.
 */
export const buildSchema: Schema = {
  domain: "build",
  steps: [
    `CREATE TABLE build_records (
       id TEXT PRIMARY KEY,
       parent_id TEXT REFERENCES build_records(id),
       snapshot TEXT NOT NULL UNIQUE,
       slot TEXT NOT NULL,
       description TEXT NOT NULL,
       parts TEXT NOT NULL,
       created_ms INTEGER NOT NULL,
       last_used_ms INTEGER NOT NULL,
       uses INTEGER NOT NULL DEFAULT 0,
       diff_id TEXT, tar_bytes INTEGER, content_bytes INTEGER
     ) STRICT;
     CREATE INDEX build_records_by_parent ON build_records(parent_id);
     CREATE INDEX build_records_by_description ON build_records(description);
     CREATE TABLE build_keys (
       key TEXT PRIMARY KEY,
       record_id TEXT NOT NULL REFERENCES build_records(id) ON DELETE CASCADE
     ) STRICT, WITHOUT ROWID;
     CREATE INDEX build_keys_by_record ON build_keys(record_id);`,
    // bytes of a record's layer that a later one deletes or replaces
    `CREATE TABLE build_waste (
       record_id TEXT NOT NULL REFERENCES build_records(id) ON DELETE CASCADE,
       by_id TEXT NOT NULL REFERENCES build_records(id) ON DELETE CASCADE,
       bytes INTEGER NOT NULL,
       PRIMARY KEY (record_id, by_id)
     ) STRICT, WITHOUT ROWID;`,
    // what was built, for people: `document` is a PastBuild with its version, `log` what the steps wrote
    `CREATE TABLE build_history (
       id TEXT PRIMARY KEY,
       ended_ms INTEGER NOT NULL,
       document TEXT NOT NULL,
       log TEXT NOT NULL
     ) STRICT;
     CREATE INDEX build_history_by_end ON build_history(ended_ms);`,
  ],
}
