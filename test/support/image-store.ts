/** The images of a store of its own, without an engine around them. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Database } from "../../src/base/database.ts"
import { collectGarbage } from "../../src/content/collect.ts"
import { openLeases } from "../../src/content/leases.ts"
import { contentSchema } from "../../src/content/schema.ts"
import { openContentStore } from "../../src/content/open.ts"
import type { Images } from "../../src/image/image.ts"
import { openImages } from "../../src/image/open.ts"
import { referencedByImages } from "../../src/image/referenced.ts"
import { withSnapshotBlobs } from "../../src/image/snapshot-blobs.ts"
import { imageSchema } from "../../src/image/schema.ts"
import { openRegistries } from "../../src/registry/open.ts"
import { openSnapshotter } from "../../src/snapshot/open.ts"
import { snapshotSchema } from "../../src/snapshot/schema.ts"

export interface ImageStore extends AsyncDisposable {
  root: string
  images: Images
  /** What is left in the store when all garbage is collected. */
  left(): Promise<{ blobs: number; snapshots: number; ingests: number; directories: number }>
  /** Makes its layers those of a store from before there were any. */
  forgetTarSplits(): void
}

/** Root only: layers are extracted with their owners. */
export async function openImageStore(root = mkdtempSync(join(tmpdir(), "skiff-pull-"))): Promise<ImageStore> {
  const db = new Database(join(root, "skiff.db"))
  db.migrate([contentSchema, snapshotSchema, imageSchema])
  const content = openContentStore({ root })
  const snapshots = await openSnapshotter({ root, db, rootless: false })
  const collect = (signal?: AbortSignal) =>
    collectGarbage({
      signal,
      db,
      root,
      content,
      snapshots: snapshots as never,
      referenced: () => referencedByImages(db),
    })
  const images = openImages({
    root,
    mounts: join(root, "image-mounts"),
    db,
    events: { append: () => {} },
    content: withSnapshotBlobs(content, snapshots, db),
    snapshots,
    leases: openLeases({ db }),
    rootless: false,
    usedBy: () => [],
    collect,
    registries: async () => openRegistries({ limits: { attempts: 2, retryDelayMs: 5, stallTimeoutMs: 2_000 } }),
  })
  return {
    root,
    images,
    async left() {
      await collect()
      return {
        blobs: [...content.list()].length,
        snapshots: snapshots.list().length,
        ingests: readdirSync(join(root, "ingest")).length,
        directories: readdirSync(join(root, "layers")).length,
      }
    },
    forgetTarSplits() {
      for (const name of readdirSync(join(root, "layers")))
        rmSync(join(root, "layers", name, "tar-split"), { force: true })
      db.exec("DELETE FROM snapshot_blobs")
    },
    async [Symbol.asyncDispose]() {
      db[Symbol.dispose]()
      rmSync(root, { recursive: true, force: true })
    },
  }
}
