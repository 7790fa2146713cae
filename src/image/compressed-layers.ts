import type { Database } from "../base/database.ts"
import type { Digest } from "../spec/digest.ts"

/** What a layer's blob becomes when it is compressed: digests that were found once, whether or not the bytes are still here. */
export class CompressedLayers {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  find(source: Digest, compression: string): { digest: Digest; size: number } | undefined {
    return this.#db.get<{ digest: Digest; size: number }>(
      "SELECT digest, size FROM compressed_layers WHERE source = ? AND compression = ?",
      source,
      compression,
    )
  }

  put(source: Digest, compression: string, { digest, size }: { digest: Digest; size: number }): void {
    this.#db.run("INSERT OR REPLACE INTO compressed_layers VALUES (?, ?, ?, ?)", source, compression, digest, size)
  }
}
