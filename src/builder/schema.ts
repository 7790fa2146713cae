import type { Schema } from "../base/database.ts"

/** One row a working container; its writable snapshot has the key of `workingKey`. */
export const workingSchema: Schema = {
  domain: "working",
  steps: [
    `CREATE TABLE working_containers (
       id TEXT PRIMARY KEY,
       name TEXT NOT NULL UNIQUE,
       image_name TEXT NOT NULL,
       image_id TEXT,
       created_ms INTEGER NOT NULL,
       mounted INTEGER NOT NULL DEFAULT 0,
       draft TEXT NOT NULL
     ) STRICT;
     CREATE INDEX working_containers_image ON working_containers (image_id);`,
    // what `from` was told for later commands
    `ALTER TABLE working_containers ADD COLUMN defaults TEXT NOT NULL DEFAULT '{}'`,
    // of the JSON in `draft` and `defaults`
    "ALTER TABLE working_containers ADD COLUMN version INTEGER NOT NULL DEFAULT 1",
  ],
}
