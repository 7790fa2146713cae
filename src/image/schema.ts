import type { Schema } from "../base/database.ts"

/**
 * Images by config digest; names and repo digests point at them. A name of several platforms points at the first, and has an
 * index with its members beside. `size_bytes`, `labels`: so that a list reads no file.
 */
export const imageSchema: Schema = {
  domain: "image",
  steps: [
    `CREATE TABLE images (
       id TEXT PRIMARY KEY,
       manifest_digest TEXT NOT NULL,
       manifest_type TEXT NOT NULL,
       manifest_size INTEGER NOT NULL,
       os TEXT NOT NULL,
       architecture TEXT NOT NULL,
       variant TEXT,
       created_ms INTEGER,
       size_bytes INTEGER NOT NULL,
       top_layer TEXT,
       labels TEXT NOT NULL,
       recorded_ms INTEGER NOT NULL
     ) STRICT;
     CREATE TABLE image_names (
       name TEXT PRIMARY KEY,
       image_id TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE,
       short_name TEXT
     ) STRICT;
     CREATE INDEX image_names_by_image ON image_names(image_id);
     CREATE INDEX image_names_by_short ON image_names(short_name);
     CREATE TABLE image_digests (
       name TEXT PRIMARY KEY,
       image_id TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE
     ) STRICT;
     CREATE INDEX image_digests_by_image ON image_digests(image_id);
     CREATE TABLE image_layers (
       image_id TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE,
       position INTEGER NOT NULL,
       chain_id TEXT NOT NULL,
       size_bytes INTEGER NOT NULL,
       PRIMARY KEY (image_id, position)
     ) STRICT, WITHOUT ROWID;
     CREATE INDEX image_layers_by_chain ON image_layers(chain_id);
     CREATE TABLE image_blobs (
       image_id TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE,
       digest TEXT NOT NULL,
       PRIMARY KEY (image_id, digest)
     ) STRICT, WITHOUT ROWID;`,
    `CREATE TABLE compressed_layers (
       source TEXT NOT NULL,
       compression TEXT NOT NULL,
       digest TEXT NOT NULL,
       size INTEGER NOT NULL,
       PRIMARY KEY (source, compression)
     ) STRICT, WITHOUT ROWID;
     CREATE INDEX image_blobs_by_digest ON image_blobs(digest);`,
    // layers without a blob: a build's, which are read from their snapshots when they are asked for
    `CREATE TABLE snapshot_blobs (
       digest TEXT NOT NULL,
       chain_id TEXT NOT NULL,
       size INTEGER NOT NULL,
       PRIMARY KEY (digest, chain_id)
     ) STRICT, WITHOUT ROWID;`,
    // what builds attest of an image: in-toto statements, kept as blobs while the image is
    `CREATE TABLE image_attestations (
       image_id TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE,
       predicate_type TEXT NOT NULL,
       digest TEXT NOT NULL,
       size INTEGER NOT NULL,
       PRIMARY KEY (image_id, predicate_type)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE image_indexes (
       name TEXT PRIMARY KEY REFERENCES image_names(name) ON DELETE CASCADE,
       digest TEXT NOT NULL
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE image_index_members (
       name TEXT NOT NULL REFERENCES image_indexes(name) ON DELETE CASCADE,
       position INTEGER NOT NULL,
       image_id TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE,
       PRIMARY KEY (name, position)
     ) STRICT, WITHOUT ROWID;
     CREATE INDEX image_index_members_by_image ON image_index_members(image_id);`,
    // of layers that were made with a table of contents: what their descriptors say of it, and the diff id where it is another
    `CREATE TABLE chunked_layers (
       digest TEXT PRIMARY KEY,
       annotations TEXT NOT NULL,
       diff_id TEXT
     ) STRICT, WITHOUT ROWID;`,
    // when an image was last pulled, run or built upon: kept while the store has a cap
    `CREATE TABLE image_uses (
       image_id TEXT PRIMARY KEY REFERENCES images(id) ON DELETE CASCADE,
       used_ms INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID;`,
    // blobs that were fetched in parts: the snapshot has what was in them
    `CREATE TABLE partial_layers (
       digest TEXT NOT NULL,
       chain_id TEXT NOT NULL,
       PRIMARY KEY (digest, chain_id)
     ) STRICT, WITHOUT ROWID;`,
  ],
}
