import type { Schema } from "../../base/database.ts"

/**
 * `object`: its JSON, in a Secret's case sealed (seal.ts). `deleting`: it has a deletionTimestamp. A change's row is the object as it was
 * then; `version` is the resourceVersion, of the whole store.
 */
export const kubeSchema: Schema = {
  domain: "kube",
  steps: [
    `CREATE TABLE kube_objects (
      resource TEXT NOT NULL,
      namespace TEXT NOT NULL,
      name TEXT NOT NULL,
      uid TEXT NOT NULL UNIQUE,
      version INTEGER NOT NULL,
      deleting INTEGER NOT NULL,
      object BLOB NOT NULL,
      PRIMARY KEY (resource, namespace, name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE kube_changes (
      version INTEGER PRIMARY KEY AUTOINCREMENT,
      type TEXT NOT NULL,
      resource TEXT NOT NULL,
      namespace TEXT NOT NULL,
      object BLOB NOT NULL
    ) STRICT`,
  ],
}
