import type { Schema } from "../base/database.ts"
import { addAttachments } from "./migrations.ts"

/**
 * `live`: 1 while the kernel may hold something of the container (mount, namespace, cgroup, address): set before the first
 * of them is made, cleared after the last is gone. So `live = 1` finds all that a crash can have left.
 * `spec` is written once at create, `state` at each change of the life cycle; both JSON (record.ts) of the
 * shape that `version` names.
 */
export const containerSchema: Schema = {
  domain: "container",
  steps: [
    `CREATE TABLE containers (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      image_id TEXT NOT NULL,
      status TEXT NOT NULL,
      live INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      spec TEXT NOT NULL,
      state TEXT NOT NULL
    ) STRICT;
    CREATE INDEX containers_image ON containers (image_id);
    CREATE INDEX containers_live ON containers (live) WHERE live = 1`,
    addAttachments,
    `CREATE TABLE execs (
      id TEXT PRIMARY KEY,
      container_id TEXT NOT NULL REFERENCES containers (id) ON DELETE CASCADE,
      created_at INTEGER NOT NULL,
      is_running INTEGER NOT NULL,
      version INTEGER NOT NULL,
      request TEXT NOT NULL,
      state TEXT NOT NULL
    ) STRICT;
    CREATE INDEX execs_container ON execs (container_id);
    CREATE INDEX execs_running ON execs (container_id) WHERE is_running = 1`,
    "ALTER TABLE containers ADD COLUMN health TEXT",
  ],
}
