import type { Schema } from "../base/database.ts"

/** What may be told of a secret; its bytes are no row (open.ts). */
export const secretSchema: Schema = {
  domain: "secret",
  steps: [
    `CREATE TABLE secrets (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      driver_options TEXT NOT NULL,
      labels TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      updated_at INTEGER NOT NULL
    ) STRICT`,
  ],
}
