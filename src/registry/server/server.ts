/**
 * A registry as it is served (OCI distribution-spec 1.1): what there is, and what it answers.
 *
 * A store says what a repository holds; the server speaks HTTP about it, and knows no file. One store may be served by several
 * processes at once: whoever is killed in the middle of an upload loses nothing of it, and another goes on.
 */
import type { Bytes } from "../../base/bytes.ts"
import type { ByteRange } from "../../content/content.ts"
import type { Digest } from "../../spec/digest.ts"
import type { Descriptor } from "../../spec/oci-image.ts"

/** A blob of a repository. */
export interface ServedBlob {
  digest: Digest
  /** bytes */
  size: number
  /** The file that holds just its bytes, where there is one. */
  path?: string
  read(range?: ByteRange): Bytes
}

/** A manifest or index of a repository. */
export interface ServedManifest {
  descriptor: Descriptor
  bytes: Uint8Array
}

/** One page of names in their order, and whether more follow. */
export interface Page {
  names: readonly string[]
  hasMore: boolean
}

/** Which page: names after `last`, at most `limit`. */
export interface PageRequest {
  last?: string | undefined
  limit: number
}

/** A blob on its way in. */
export interface Upload {
  readonly id: string
  /** Bytes that are held. */
  readonly offset: number
}

/**
 * What a registry has, by repository. What takes a digest finds only what belongs to that repository. All may be called at once, from
 * several processes.
 */
export interface RegistryStore {
  /** Repositories with at least one manifest. */
  repositories(page: PageRequest): Promise<Page>
  /** Throws NotFound for an unknown repository. */
  tags(repository: string, page: PageRequest): Promise<Page>
  has(repository: string): Promise<boolean>
  blob(repository: string, digest: Digest): Promise<ServedBlob | undefined>
  manifest(repository: string, reference: ManifestReference): Promise<ServedManifest | undefined>
  /** Manifests whose subject this one is; none is no error, nor that it is not there. */
  referrers(repository: string, subject: Digest): Promise<Descriptor[]>
  /** Removes what nothing needs, beside pushes of any server of the store. Safe to repeat; stopped, it has removed a part. Absent: it is no registry's task. */
  collect?(options: GarbageOptions): Promise<RemovedGarbage>
  /** Bytes of what those repositories have, of all when none are named; what several have is counted once. */
  usedBytes?(isOf?: (repository: string) => boolean): Promise<number>
  /** Absent: nothing can be changed. */
  readonly writes?: RegistryWrites
}

/** By tag or by digest. */
export type ManifestReference = { tag: string } | { digest: Digest }

/** Changes. Each is whole or has not happened; killed, the next one finds a store that is in order. */
export interface RegistryWrites {
  startUpload(repository: string): Promise<Upload>
  /** Undefined: it never was, or is over. */
  upload(repository: string, id: string): Promise<Upload | undefined>
  /**
   * Writes at the end of what is held; `expected` is where the sender believes that to be. Throws FailedPrecondition when it is not;
   * what came before a cut stays. Gives the bytes held then.
   */
  append(repository: string, id: string, body: AsyncIterable<Uint8Array>, expected?: number): Promise<number>
  /** Throws DataLoss when the bytes have another digest: the upload is over then. */
  finish(repository: string, id: string, digest: Digest): Promise<void>
  /** False when there is none. */
  cancel(repository: string, id: string): Promise<boolean>
  /** Makes a blob of one repository one of another's; false when it is not there. */
  mount(repository: string, from: string, digest: Digest): Promise<boolean>
  /** Throws RegistryError where the repository may not have so many bytes more. Absent: it may. */
  mustHaveRoom?(repository: string, bytes: number): Promise<void>
  /**
   * Throws NotFound, whose `data.digests` are the blobs that are missing. `keepsTag`: AlreadyExists where the tag leads to another manifest,
   * whoever else sets it at the same time.
   */
  putManifest(
    repository: string,
    manifest: ServedManifest & { tag?: string; keepsTag?: boolean; needed: NeededContent },
  ): Promise<void>
  /** With all tags that lead to it. False when there is none. */
  deleteManifest(repository: string, digest: Digest): Promise<boolean>
  deleteTag(repository: string, tag: string): Promise<boolean>
  deleteBlob(repository: string, digest: Digest): Promise<boolean>
}

/** What is garbage. */
export interface GarbageOptions {
  /** What was pushed, or asked for, since then stays: a push that has just seen it may need it. */
  graceMs: number
  /** Also manifests to which no tag, no index and no subject leads. */
  untagged?: boolean | undefined
  /** Only counts. */
  dryRun?: boolean | undefined
  signal?: AbortSignal | undefined
}

/** What was removed. */
export interface RemovedGarbage {
  manifests: number
  /** Blobs that belonged to a repository and that none of its manifests refers to. */
  links: number
  /** Blobs that belonged to no repository. */
  blobs: number
  /** Of the blobs. */
  bytes: number
  /** Uploads that nobody went on with for a day. */
  uploads: number
}

/** What a manifest says of others. */
export interface NeededContent {
  /** Blobs that must be in the repository. */
  blobs: readonly Digest[]
  /** Manifests of an index, which may be missing. */
  children: readonly Digest[]
  /** Its subject, with what a list of referrers shows of it. */
  referrer?: { subject: Digest; descriptor: Descriptor }
}

/** A server that runs. */
export interface RegistryServer extends AsyncDisposable {
  /** `http://127.0.0.1:5000` */
  readonly url: string
}
