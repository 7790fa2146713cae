import type { Schema } from "../base/database.ts"

// AUTOINCREMENT: an id is never used again, so a directory that no row names is garbage whatever happened
/** A row for each snapshot. It comes before its directory and goes before it. */
export const snapshotSchema: Schema = {
  domain: "snapshot",
  steps: [
    `CREATE TABLE snapshots (
       id INTEGER PRIMARY KEY AUTOINCREMENT,
       name TEXT NOT NULL UNIQUE,
       kind TEXT NOT NULL CHECK (kind IN ('stage', 'active', 'view', 'committed')),
       parent_id INTEGER REFERENCES snapshots(id),
       created_at INTEGER NOT NULL,
       opaque_root INTEGER NOT NULL DEFAULT 0,
       volatile INTEGER NOT NULL DEFAULT 0,
       owner_pid INTEGER, owner_start_time INTEGER, owner_boot_id TEXT
     ) STRICT;
     CREATE INDEX snapshots_by_parent ON snapshots(parent_id);
     CREATE TABLE snapshot_driver (
       driver TEXT NOT NULL, host TEXT NOT NULL
     ) STRICT;`,
  ],
}
