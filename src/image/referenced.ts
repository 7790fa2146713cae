import type { Database } from "../base/database.ts"
import type { Digest } from "../spec/digest.ts"

/** The blobs and snapshots that images need: never collected. Reads the records when called. */
export function referencedByImages(db: Database): { blobs: Digest[]; snapshots: string[] } {
  return {
    blobs: db
      .all<{ digest: Digest }>(
        `SELECT digest FROM image_blobs UNION SELECT digest FROM image_attestations UNION SELECT digest FROM image_indexes`,
      )
      .map((row) => row.digest),
    snapshots: db.all<{ id: string }>("SELECT DISTINCT chain_id AS id FROM image_layers").map((row) => row.id),
  }
}

/** The blobs of each image by its id. */
export function blobsByImage(db: Database): Map<Digest, Digest[]> {
  const blobs = new Map<Digest, Digest[]>()
  for (const { image_id: id, digest } of db.all<{ image_id: Digest; digest: Digest }>("SELECT * FROM image_blobs"))
    blobs.set(id, [...(blobs.get(id) ?? []), digest])
  return blobs
}
