import type { Containers } from "../container/container.ts"
import type { Events } from "../event/event.ts"
import type { Images } from "../image/image.ts"
import type { Registries } from "../registry/registry.ts"
import type { Snapshotter } from "../snapshot/snapshot.ts"
import type { Digest } from "../spec/digest.ts"
import type { ImageConfig } from "../spec/oci-image.ts"
import type { SubjectLayer } from "./scan.ts"

/** What scans stand on; `engine/` chooses it. */
export interface ScanDeps {
  /** Of the store: where packages that were found, and data, are kept below `scan/`. */
  root: string
  images(): Promise<Images>
  containers(): Promise<Containers>
  events(): Promise<Events>
  registries(): Promise<Registries>
  snapshots(): Promise<Snapshotter>
  /** Of an image that was built here, by its history's layers: the instruction that made each, where its file still has it. */
  dockerfileLines?(id: Digest, history: ImageConfig["history"]): Promise<readonly SubjectLayer["dockerfile"][]>
  /** A store of its own, for an image that is not to come into this one; gone with its disposal. */
  temporaryStore(): Promise<TemporaryStore>
}

/** See `ScanDeps.temporaryStore`. */
export interface TemporaryStore extends AsyncDisposable {
  images(): Promise<Images>
  snapshots(): Promise<Snapshotter>
}
