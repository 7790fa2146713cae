import type { Database } from "../base/database.ts"
import type { ContentStore, Leases } from "../content/content.ts"
import type { Registries } from "../registry/registry.ts"
import type { ImageManifest } from "../spec/oci-image.ts"
import type { Artifact } from "./artifact.ts"

/** What artifacts stand on; `engine/` chooses it. */
export interface OpenArtifacts {
  /** Migrated with `artifactSchema`. */
  db: Database
  content: ContentStore
  leases: Leases
  registries(): Promise<Registries>
  /** Removes the blobs that no record and no lease refers to. */
  collect(): Promise<unknown>
}

/** The same, and what all parts read. */
export interface ArtifactsDeps extends OpenArtifacts {
  manifest(artifact: Artifact): Promise<ImageManifest>
}
