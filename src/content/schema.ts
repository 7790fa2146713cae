import type { Schema } from "../base/database.ts"

/** Leases and what they hold; blobs have no rows: the directory is the truth. */
export const contentSchema: Schema = {
  domain: "content",
  steps: [
    `CREATE TABLE leases (
       id TEXT PRIMARY KEY, expires_at INTEGER NOT NULL,
       owner_pid INTEGER NOT NULL, owner_start_time INTEGER NOT NULL, owner_boot_id TEXT NOT NULL
     ) STRICT;
     CREATE TABLE lease_blobs (
       lease_id TEXT NOT NULL REFERENCES leases(id) ON DELETE CASCADE, digest TEXT NOT NULL,
       PRIMARY KEY (lease_id, digest)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE lease_snapshots (
       lease_id TEXT NOT NULL REFERENCES leases(id) ON DELETE CASCADE, name TEXT NOT NULL,
       PRIMARY KEY (lease_id, name)
     ) STRICT, WITHOUT ROWID;`,
  ],
}
