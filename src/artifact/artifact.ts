/**
 * Artifacts: files that travel by registries as images do, and are none (image-spec manifest.md, "Guidelines for Artifact Usage").
 *
 * One file is one layer, as it is: neither packed nor compressed; its name is the annotation `org.opencontainers.image.title`. Bytes lie in the
 * store's blobs; a row says which belong to which name.
 */
import type { Cancellable } from "../base/cancel.ts"
import type { OnProgress } from "../base/progress.ts"
import type { RegistryAccess, SigningOptions } from "../registry/registry.ts"
import type { Digest } from "../spec/digest.ts"
import type { ImageManifest } from "../spec/oci-image.ts"

/** An artifact on record. */
export interface Artifact {
  /** Full, with its tag: `localhost/models/small:latest`. */
  name: string
  /** Of the manifest. */
  digest: Digest
  /** Of all its files. */
  sizeBytes: number
  createdAt: Date
}

/** A new artifact's files. */
export interface AddArtifactOptions extends Cancellable {
  /** Host paths; the last part of each is its title. */
  files: readonly string[]
  /** Default `application/vnd.unknown.artifact.v1`. */
  type?: string | undefined
  /** Media type of each file; default: what its first bytes say. */
  fileType?: string | undefined
  /** Of each file's descriptor. */
  annotations?: Readonly<Record<string, string>>
  /** To an artifact that is there. */
  append?: boolean
  /** In the place of an artifact that is there. */
  replace?: boolean
}

/** Which files of an artifact; of those that have neither, all. */
export interface FileChoice {
  title?: string | undefined
  digest?: string | undefined
}

/** How a registry is spoken to, and who hears how far it is. */
export interface TransferOptions extends RegistryAccess, Cancellable {
  onProgress?: OnProgress
  /** What is pushed is signed so. */
  signing?: SigningOptions | undefined
}

/** The artifacts of one store. */
export interface Artifacts {
  list(): Artifact[]
  /** By name, or by the digest or the beginning of it. Throws NotFound, InvalidArgument where it may be several. */
  get(nameOrDigest: string): Artifact
  /** Throws NotFound, DataLoss. */
  manifest(artifact: Artifact): Promise<ImageManifest>
  /** Throws AlreadyExists, NotFound for a file or for what is to be appended to, InvalidArgument for two files of one title. */
  add(name: string, options: AddArtifactOptions): Promise<Artifact>
  /**
   * Writes files below a directory that is there, or the only one to a path. Throws NotFound, AlreadyExists for what is there, InvalidArgument for a
   * title that is a way out of the directory.
   */
  extract(nameOrDigest: string, target: string, choice?: FileChoice): Promise<void>
  /** Throws NotFound, PermissionDenied, Unavailable, DataLoss; Unsupported for an image. */
  pull(name: string, options?: TransferOptions): Promise<Artifact>
  /** Throws NotFound, PermissionDenied, Unavailable. */
  push(name: string, options?: TransferOptions): Promise<Digest>
  /** Gives its digest. Its bytes go with it, unless something else has them. Throws NotFound. */
  remove(nameOrDigest: string): Promise<Digest>
}
