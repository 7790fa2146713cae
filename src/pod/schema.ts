import type { Schema } from "../base/database.ts"

/** `spec` is written once, as JSON of the shape that `version` names (records.ts). `removing`: 1 once a removal was begun. */
export const podSchema: Schema = {
  domain: "pod",
  steps: [
    `CREATE TABLE pods (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      created_at INTEGER NOT NULL,
      removing INTEGER NOT NULL,
      version INTEGER NOT NULL,
      spec TEXT NOT NULL
    ) STRICT`,
  ],
}
