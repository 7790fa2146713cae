/**
 * Manifest lists that a user makes by hand: an index of images, each of this store or of a registry, which is pushed as one.
 *
 * A list is a row. Its entries are descriptors, and where the image of each is; nothing is fetched before it is pushed, and what is pushed of a
 * registry's image is copied from there to there.
 */
import type { Cancellable } from "../base/cancel.ts"
import type { OnProgress } from "../base/progress.ts"
import type { LayerForm } from "../image/image.ts"
import type { RegistryAccess, SigningOptions } from "../registry/registry.ts"
import type { Digest } from "../spec/digest.ts"
import type { Descriptor, ImageIndex } from "../spec/oci-image.ts"

/** One image of a list. */
export interface ManifestEntry {
  descriptor: Descriptor
  /** An image of this store by its id, or what a registry has under this name. */
  source: { image: Digest } | { reference: string }
}

/** A list on record. */
export interface ManifestList {
  /** Full, with its tag: `localhost/app:latest`. */
  name: string
  entries: readonly ManifestEntry[]
  annotations: Readonly<Record<string, string>>
  /** What it refers to (image-spec image-index.md, `subject`). */
  subject?: Descriptor
  createdAt: Date
}

/** What is said of an entry, in place of what is known of it. */
export interface EntryChanges {
  os?: string
  architecture?: string
  variant?: string
  osVersion?: string
  osFeatures?: readonly string[]
  features?: readonly string[]
  /** On top of those that it has. */
  annotations?: Readonly<Record<string, string>>
}

/** What a new entry is, and how its registry is spoken to. */
export interface AddOptions extends RegistryAccess, EntryChanges, Cancellable {
  /** Of an index: each of its images, and not this machine's alone. */
  all?: boolean
}

/** How a list is pushed. */
export interface PushListOptions extends RegistryAccess, Cancellable {
  /** Of the index; default OCI, or Docker's where all its images are of that. */
  format?: "oci" | "docker" | undefined
  /** Of images of this store. */
  form?: LayerForm | undefined
  /** The index and each image that it names are signed so. */
  signing?: SigningOptions | undefined
  onProgress?: OnProgress
}

/** A list that is on no record: what a registry shall have at once. */
export interface UnrecordedList {
  add(image: string, options?: AddOptions): Promise<Digest[]>
  /** Others than these go. */
  keep(isKept: (descriptor: Descriptor) => boolean): void
  index(): ImageIndex
  push(destination: string, options?: PushListOptions): Promise<Digest>
}

/** The lists of one store. */
export interface ManifestLists {
  list(): ManifestList[]
  /** By name; a name without a registry is localhost's, else docker.io's. Throws NotFound. */
  get(name: string): ManifestList
  find(name: string): ManifestList | undefined
  /** Throws AlreadyExists, also where an image has the name. */
  create(name: string, options?: { annotations?: Readonly<Record<string, string>> }): ManifestList
  unrecorded(options?: { annotations?: Readonly<Record<string, string>> }): UnrecordedList
  /**
   * Adds an image: one of this store, else what a registry has under the name. `docker://` asks the registry at once. Gives the
   * digests of what it added. Throws NotFound, Unavailable.
   */
  add(list: string, image: string, options?: AddOptions): Promise<Digest[]>
  /** Throws NotFound for a digest that is no entry's. */
  annotate(list: string, digest: Digest, changes: EntryChanges): void
  /** Of the list itself. */
  annotateList(list: string, changes: { annotations?: Readonly<Record<string, string>>; subject?: Descriptor }): void
  /** Throws NotFound for a digest that is no entry's. */
  removeEntry(list: string, digest: Digest): void
  /** Throws NotFound. */
  remove(list: string): void
  /** The index as it stands, of images as they are here. */
  index(list: ManifestList): ImageIndex
  /** Pushes all images by their digests, then the index with the tag. Gives the index' digest. Throws as `Images.push`. */
  push(list: string, destination: string, options?: PushListOptions): Promise<Digest>
}
