import type { Database } from "../base/database.ts"
import { DataLoss } from "../base/errors.ts"
import type { Bytes, ContentStore, ReadBlobOptions } from "../content/content.ts"
import type { Snapshotter } from "../snapshot/snapshot.ts"
import type { ChainId, Digest } from "../spec/digest.ts"

/**
 * The content store, and in it the layers that are kept as snapshots alone: what a build made, or came uncompressed, is read
 * from there again when it is pushed or saved, to the same bytes, instead of lying on the disk twice.
 */
export function withSnapshotBlobs(content: ContentStore, snapshots: Snapshotter, db: Database): ContentStore {
  const find = (digest: Digest): { chainId: ChainId; size: number } | undefined =>
    db
      .all<{ chainId: ChainId; size: number }>(
        "SELECT chain_id AS chainId, size FROM snapshot_blobs WHERE digest = ?",
        digest,
      )
      .find(({ chainId }) => snapshots.has(chainId))
  return {
    has: (digest) => content.has(digest) || find(digest) !== undefined,
    info(digest) {
      const kept = content.has(digest) ? undefined : find(digest)
      return kept === undefined
        ? content.info(digest)
        : { digest, size: kept.size, createdAt: snapshots.info(kept.chainId).createdAt }
    },
    read(digest, range) {
      const kept = content.has(digest) ? undefined : find(digest)
      return kept === undefined ? content.read(digest, range) : readAgain(snapshots, kept.chainId, digest, range)
    },
    readAll: (digest, maxBytes) => content.readAll(digest, maxBytes),
    path: (digest) => content.path(digest),
    ingest: (ref, options) => content.ingest(ref, options),
    put: (bytes) => content.put(bytes),
    touch: (digest) => content.touch(digest),
    removeStaleIngests: (options) => content.removeStaleIngests(options),
    list: () => content.list(),
    delete: (digest) => content.delete(digest),
  }
}

/** Throws DataLoss at its end when the bytes are not those of `digest`: somebody changed the snapshot's files. */
async function* readAgain(
  snapshots: Snapshotter,
  chainId: ChainId,
  digest: Digest,
  { start, end = Infinity, reuse = false }: ReadBlobOptions = { start: 0 },
): Bytes {
  const { createHash } = await import("node:crypto")
  const hash = createHash("sha256")
  let at = 0
  const original = snapshots.original(chainId)
  for await (const chunk of original ?? snapshots.diff(chainId)) {
    hash.update(chunk)
    const part = chunk.subarray(Math.max(start - at, 0), Math.max(end - at, 0))
    if (part.length > 0) yield original === undefined || reuse ? part : Buffer.from(part)
    at += chunk.length
  }
  const found = `sha256:${hash.digest("hex")}`
  if (found !== digest)
    throw new DataLoss(`the files of layer ${digest} have been changed: they now give ${found}`, {
      hint: "add the image again: remove it, then pull, load or build it",
    })
}
