import { mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import { Database } from "../base/database.ts"
import { contentSuite } from "../content/content.suite.ts"
import { openContentStore } from "../content/open.ts"
import { openSnapshotter } from "../snapshot/open.ts"
import { snapshotSchema } from "../snapshot/schema.ts"
import { imageSchema } from "./schema.ts"
import { withSnapshotBlobs } from "./snapshot-blobs.ts"

// what it reads of snapshots is tested with the images that load, import and build make
contentSuite("a store with layers kept as snapshots", async () => {
  const root = mkdtempSync("/tmp/skiff-content-")
  const db = new Database(join(root, "skiff.db"))
  db.migrate([snapshotSchema, imageSchema])
  const snapshots = await openSnapshotter({ root, db, rootless: false, driver: "native" })
  return {
    store: withSnapshotBlobs(openContentStore({ root }), snapshots, db),
    async [Symbol.asyncDispose]() {
      db[Symbol.dispose]()
      rmSync(root, { recursive: true })
    },
  }
})
