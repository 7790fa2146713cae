import type { Database } from "../base/database.ts"
import type { DiffId, Digest } from "../spec/digest.ts"

/** A layer in another form. */
export interface CompressedLayer {
  digest: Digest
  size: number
  /** Of its descriptor. */
  annotations?: Record<string, string>
  /** Where the form made another archive of it. */
  diffId?: DiffId
}

/** What a layer's blob becomes when it is compressed: digests that were found once, whether or not the bytes are still here. */
export class CompressedLayers {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  find(source: Digest, compression: string): CompressedLayer | undefined {
    const row = this.#db.get<{ digest: Digest; size: number; annotations: string | null; diffId: DiffId | null }>(
      `SELECT l.digest, l.size, c.annotations, c.diff_id AS diffId
       FROM compressed_layers l LEFT JOIN chunked_layers c ON c.digest = l.digest WHERE l.source = ? AND l.compression = ?`,
      source,
      compression,
    )
    if (row === undefined) return undefined
    const { digest, size, annotations, diffId } = row
    return {
      digest,
      size,
      ...(annotations === null ? {} : { annotations: JSON.parse(annotations) as Record<string, string> }),
      ...(diffId === null ? {} : { diffId }),
    }
  }

  put(source: Digest, compression: string, { digest, size, annotations, diffId }: CompressedLayer): void {
    this.#db.run("INSERT OR REPLACE INTO compressed_layers VALUES (?, ?, ?, ?)", source, compression, digest, size)
    if (annotations === undefined) return
    const text = JSON.stringify(annotations)
    this.#db.run("INSERT OR REPLACE INTO chunked_layers VALUES (?, ?, ?)", digest, text, diffId ?? null)
  }
}
