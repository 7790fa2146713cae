import type { Schema } from "../base/database.ts"

/** Blobs of an artifact, its manifest and config among them, are kept while its row is. */
export const artifactSchema: Schema = {
  domain: "artifact",
  steps: [
    `CREATE TABLE artifacts (
      name TEXT PRIMARY KEY,
      digest TEXT NOT NULL,
      size_bytes INTEGER NOT NULL,
      created_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE artifact_blobs (
      name TEXT NOT NULL REFERENCES artifacts (name) ON DELETE CASCADE,
      digest TEXT NOT NULL,
      PRIMARY KEY (name, digest)
    ) STRICT, WITHOUT ROWID`,
  ],
}
