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
  ],
}
