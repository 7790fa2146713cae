import { referencedByArtifacts } from "../artifact/records.ts"
import { referencedByBuilds } from "../build/solve/records.ts"
import { collectGarbage, type Collected, type CollectOptions } from "../content/collect.ts"
import { referencedByImages } from "../image/referenced.ts"

/** Removes the blobs and layers that no image, artifact or build of the store refers to. */
export function collectStore(deps: Omit<CollectOptions, "referenced">): Promise<Collected> {
  return collectGarbage({
    ...deps,
    referenced: () => {
      const images = referencedByImages(deps.db)
      const blobs = [...images.blobs, ...referencedByArtifacts(deps.db)]
      return { blobs, snapshots: [...images.snapshots, ...referencedByBuilds(deps.db).snapshots] }
    },
  })
}
