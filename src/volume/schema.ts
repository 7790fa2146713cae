import type { Schema } from "../base/database.ts"

export const volumeSchema: Schema = {
  domain: "volume",
  steps: [
    `CREATE TABLE volumes (
      name TEXT PRIMARY KEY,
      anonymous INTEGER NOT NULL,
      labels TEXT NOT NULL,
      created_at INTEGER NOT NULL
    ) STRICT`,
  ],
}
