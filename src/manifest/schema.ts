import type { Schema } from "../base/database.ts"

/** `document`: the list as `StoredList` (records.ts), JSON. */
export const manifestSchema: Schema = {
  domain: "manifest",
  steps: [
    `CREATE TABLE manifest_lists (
      name TEXT PRIMARY KEY,
      document TEXT NOT NULL,
      created_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID`,
  ],
}
