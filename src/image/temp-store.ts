import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Database } from "../base/database.ts"
import type { ImageUser } from "./remove-image.ts"
import { imageSchema } from "./schema.ts"

/** For tests: records in a directory of their own, and containers that are said to use an image. */
export interface TempStore extends AsyncDisposable {
  root: string
  db: Database
  users: Map<string, ImageUser[]>
}

/** Records in a directory of their own. */
export function tempStore(): TempStore {
  const root = mkdtempSync(join(tmpdir(), "skiff-image-"))
  const db = new Database(join(root, "skiff.db"))
  db.migrate([imageSchema])
  return {
    root,
    db,
    users: new Map(),
    async [Symbol.asyncDispose]() {
      db[Symbol.dispose]()
      rmSync(root, { recursive: true })
    },
  }
}
