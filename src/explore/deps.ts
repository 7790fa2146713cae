import type { Builds } from "../build/build.ts"
import type { Images } from "../image/image.ts"
import type { Snapshotter } from "../snapshot/snapshot.ts"

/** What exploring stands on; `engine/` chooses it. */
export interface ExploreDeps {
  /** For indexes of layers that are not the store's: they have no name there. */
  scratch: string
  images: Images
  snapshots: Snapshotter
  /** What was built here, and from which Dockerfile. */
  builds(): Promise<Pick<Builds, "history">>
}
