import type { Database } from "../base/database.ts"
import type { ContentStore, Leases } from "../content/content.ts"
import type { Events } from "../event/event.ts"
import type { Registries } from "../registry/registry.ts"
import type { Snapshotter } from "../snapshot/snapshot.ts"
import type { StoreCap } from "./cap-settings.ts"
import type { UsedBy } from "./remove-image.ts"

/** What images stand on; `engine/` chooses it. */
export interface ImagesDeps {
  /** Of the store. */
  root: string
  /** Where images are shown that a user mounts. */
  mounts: string
  /** With the tables of `imageSchema`. */
  db: Database
  events: Pick<Events, "append">
  content: ContentStore
  snapshots: Snapshotter
  leases: Leases
  rootless: boolean
  /** The containers of an image. */
  usedBy: UsedBy
  /** Removes the blobs and snapshots that no record and no lease refers to. */
  collect(signal?: AbortSignal): Promise<{ bytes: number }>
  registries(): Promise<Registries>
  /** What all images may take together; undefined: anything. */
  cap?: StoreCap | undefined
  /** Whether a name without its registry, or without the first parts of its repository, finds what is here; undefined: no. */
  looseNames?: boolean | undefined
  /** Whether pulls may fetch parts of layers (`[image] enable_partial_images`); undefined: yes. */
  partialPulls?(): Promise<boolean>
}
