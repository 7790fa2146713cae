import type { Schema } from "../base/database.ts"

/**
 * `id` grows and is never used again: the newest row is never deleted. `attributes` is a map of strings by definition, so
 * that its JSON needs no version.
 */
export const eventSchema: Schema = {
  domain: "event",
  steps: [
    `CREATE TABLE events (
      id INTEGER PRIMARY KEY,
      time_ns INTEGER NOT NULL,
      type TEXT NOT NULL,
      action TEXT NOT NULL,
      actor_id TEXT NOT NULL,
      attributes TEXT NOT NULL
    ) STRICT`,
  ],
}
