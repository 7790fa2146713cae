import type { Schema } from "../base/database.ts"

/** `options` is written once, `state` at each change; both JSON of the shape that `version` names (records.ts). */
export const sandboxSchema: Schema = {
  domain: "sandbox",
  steps: [
    `CREATE TABLE sandboxes (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      created_at INTEGER NOT NULL,
      version INTEGER NOT NULL,
      options TEXT NOT NULL,
      state TEXT NOT NULL
    ) STRICT`,
  ],
}
