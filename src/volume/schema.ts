import type { Schema } from "../base/database.ts"

/** Tables of this domain. */
export const volumeSchema: Schema = {
  domain: "volume",
  steps: [
    `CREATE TABLE volumes (
      name TEXT PRIMARY KEY,
      anonymous INTEGER NOT NULL,
      labels TEXT NOT NULL,
      created_at INTEGER NOT NULL
    ) STRICT`,
    "ALTER TABLE volumes ADD COLUMN options TEXT NOT NULL DEFAULT '{}'",
    "ALTER TABLE volumes ADD COLUMN driver TEXT NOT NULL DEFAULT 'local'",
    // where a plugin said that its files are, and under which key an image's volume has its layer
    "ALTER TABLE volumes ADD COLUMN mountpoint TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE volumes ADD COLUMN storage TEXT NOT NULL DEFAULT ''",
    // the name that the directory of a renamed one has, until it follows
    "ALTER TABLE volumes ADD COLUMN former TEXT NOT NULL DEFAULT ''",
    `CREATE TABLE volume_holds (
      volume TEXT NOT NULL,
      holder TEXT NOT NULL,
      boot_id TEXT NOT NULL,
      count INTEGER NOT NULL,
      PRIMARY KEY (volume, holder)
    ) STRICT`,
    "ALTER TABLE volumes ADD COLUMN scope TEXT NOT NULL DEFAULT 'local'",
  ],
}
