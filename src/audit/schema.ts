import type { Schema } from "../base/database.ts"

/** AUTOINCREMENT keeps the last number that was given, also when its row is gone. `entry` is JSON, hashed as it stands. */
export const auditSchema: Schema = {
  domain: "audit",
  steps: [
    `CREATE TABLE audit (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      entry TEXT NOT NULL,
      hash TEXT NOT NULL
    ) STRICT`,
  ],
}
