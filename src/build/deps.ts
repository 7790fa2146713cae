import type { Database } from "../base/database.ts"
import type { ContentStore, Leases } from "../content/content.ts"
import type { Images } from "../image/image.ts"
import type { Registries } from "../registry/registry.ts"
import type { Snapshotter } from "../snapshot/snapshot.ts"
import type { BuildDirectories } from "./build-directories.ts"
import type { BuildDirectory } from "./build-directory.ts"
import type { Executor } from "./execute/executor.ts"

/** What builds stand on; `engine/` chooses it. */
export interface BuildDeps {
  /** Of the store. */
  root: string
  /** With the tables of `buildSchema`. */
  db: Database
  images: Images
  content: ContentStore
  snapshots: Snapshotter
  leases: Leases
  /** We are root of a user namespace. */
  rootless: boolean
  registries(): Promise<Registries>
  /** Of running builds, and of killed ones. */
  directories: BuildDirectories
  /** The executor of the build in `directory`; to be disposed before it. */
  openExecutor(directory: BuildDirectory): Executor
  /** Removes the blobs and snapshots that no record and no lease refers to. */
  collect(signal?: AbortSignal): Promise<{ bytes: number }>
}
