/**
 * Images: names for immutable, ordered layers and their run parameters.
 *
 * An image's id is the digest of its config, as in docker and podman. Names (`docker.io/library/debian:12-slim`) and
 * repo digests point at ids. `pull` brings one in: manifest, then its layers in parallel, each in one pass; only when all
 * is there are the image and its name recorded, in one transaction. An interrupted pull goes on where it stopped.
 */
import type { ListedFile } from "../archive/archive.ts"
import type { OnProgress } from "../base/progress.ts"
import type { ChainId, Digest } from "../spec/digest.ts"
import type { Descriptor, HistoryEntry, ImageConfig, ImageManifest, ImageRunConfig } from "../spec/oci-image.ts"
import type { Platform } from "../spec/platform.ts"
import type { Bytes, Lease } from "../content/content.ts"
import type { Predicate, Statement } from "../spec/in-toto.ts"
import type { RegistryAccess, RegistryStore, SigningOptions } from "../registry/registry.ts"
import type { ChangesOptions, FileChange } from "../snapshot/snapshot.ts"
import type { Reference } from "./reference.ts"

export { packageUrl } from "./package-url.ts"
export { remoteReference } from "./copy/place.ts"
export { familiarName, familiarReference, formatReference, parseReference } from "./reference.ts"

/** A recorded image. */
export interface Image {
  /** The config's digest. */
  id: Digest
  /** The manifest that was pulled, and its media type and size. */
  manifest: Descriptor
  /** Full names with tag, e.g. `docker.io/library/debian:12-slim`; empty for a dangling image. */
  tags: readonly string[]
  /** Full names with the digest they were pulled by (of the index, where there was one). */
  repoDigests: readonly string[]
  platform: Platform
  createdAt: Date | undefined
  /** When it came in last: pulled, loaded, built. */
  recordedAt?: Date
  /** Bytes of all layers, uncompressed, on disk. */
  sizeBytes: number
  /** The snapshot to stand on; undefined for an image without layers. */
  topLayer: ChainId | undefined
}

/** What is attested of an image: that it holds these packages, that it was made like this. */
export interface Attestation {
  /** `https://spdx.dev/Document`, `https://slsa.dev/provenance/v1`. */
  predicateType: string
  /** The in-toto statement, a blob. */
  statement: Descriptor
}

/** One image, or one for each of several platforms, as they go out together: more than one is an index. */
export interface ImageSet {
  /** Where one alone can be meant, it is this machine's, else the first. */
  members: readonly ImageMember[]
  /** Of the index; of its descriptor in an OCI layout. */
  annotations?: { index?: Annotations; descriptor?: Annotations }
}

/** An image, with what goes out beside it. */
export interface ImageMember {
  image: Image
  attestations: readonly Attestation[]
  /** Of its descriptor in the index. */
  annotations?: Annotations
}

/** Keys and values of manifests and descriptors (image-spec annotations.md). */
export type Annotations = Readonly<Record<string, string>>

/** The form in which layers travel. */
export interface LayerForm {
  /**
   * `zstd:chunked` and `estargz` are zstd and gzip with a table of contents, by which files can be fetched one by one. With `estargz` the
   * archive, so the diff id, the config and the image's id are others.
   */
  compression: "gzip" | "zstd" | "zstd:chunked" | "estargz" | "none"
  /** gzip: 0 to 9; zstd: 1 to 22. */
  level?: number
  /** Also of layers that are compressed already; else of plain ones alone. */
  every?: boolean
}

/** One layer on its way out. */
export interface CompressLayerOptions {
  /** Holds what is made. */
  lease: Lease
  /** The layer's bytes. */
  read(): Bytes
  /** Whether the place it goes to has this very blob: it need not be made then. */
  isThere(descriptor: Descriptor): Promise<boolean>
  /** Bytes of the layer taken so far. */
  onProgress(taken: number): void
  signal?: AbortSignal | undefined
}

/** Which platform, from where, and who hears of it. */
export interface PullOptions extends RegistryAccess {
  platform?: Platform
  /** Of layers that are encrypted. */
  decryptionKeys?: readonly DecryptionKey[] | undefined
  /** It was looked for here and not found: where its registry cannot be reached, the error says so, and what is near. */
  isMissing?: boolean
  onProgress?: OnProgress
  signal?: AbortSignal
}

/** A private key in PEM. */
export interface DecryptionKey {
  path: string
  /** Of one that is encrypted itself. */
  passphrase?: string
}

/** What a pull brought. */
export interface PullResult {
  image: Image
  /** Full name as recorded. */
  name: string
  /** What the name pointed at in the registry. */
  digest: Digest
  /** False when nothing was fetched and nothing changed. */
  changed: boolean
}

/** What goes out, in which form, and where to. */
export interface PushOptions extends RegistryAccess {
  onProgress?: OnProgress
  signal?: AbortSignal
  /** What the name shall be there; default the image's own. */
  destination?: string
  /** These, in the place of what has that name here. */
  images?: ImageSet
  /** Undefined: gzip for what is not compressed. */
  form?: LayerForm
  /** Of the manifest; undefined: the one it has. Throws InvalidArgument for docker's with zstd layers. */
  format?: "oci" | "docker"
  /** Under its digest alone: no tag is set. */
  byDigest?: boolean
  /** What is pushed is signed so: the manifest of each image, and their index. */
  signing?: SigningOptions | undefined
}

/** What the registry now has. */
export interface PushResult {
  /** Full name. */
  name: string
  /** Of the manifest, as the registry now has it. */
  digest: Digest
  /** Bytes of the manifest. */
  size: number
  /** Of the manifest or index. */
  mediaType: string
}

/** What of an image is copied, in which format, and how registries on both sides are spoken to. */
export interface CopyOptions {
  /** All that an index names; else the image of one platform. */
  all?: boolean
  /** Undefined: the host's. */
  platform?: Platform
  /** Of the manifests there; undefined: as they are, where the place can hold them so. */
  format?: "oci" | "docker"
  /** Of every layer there; undefined: as they are. Between two places that are not the store only forms that change no archive. */
  form?: LayerForm
  /** Fail rather than change a manifest. */
  preserveDigests?: boolean
  /** Of the image in a docker-archive, beside the one of the place. */
  moreNames?: readonly string[]
  source?: RegistryAccess
  target?: RegistryAccess
  /** Where Docker's daemons listen, `unix:///path`; undefined: where they usually do. */
  daemons?: { source?: string; target?: string }
  /** As in `PullOptions`: the copy is not encrypted. */
  decryptionKeys?: readonly DecryptionKey[]
  /** As in `PushOptions`; the place must be a registry. */
  signing?: SigningOptions
  onProgress?: OnProgress
  signal?: AbortSignal
}

/** One image as it is somewhere else. */
export interface ImageAt {
  /** Of the repository, in full; empty for what is at no registry. */
  name: string
  /** The manifest, or the index that leads to it. */
  top: ResolvedManifest
  layers: readonly Descriptor[]
  configBytes: Uint8Array
  config: ImageConfig
}

/** One image somewhere else, open to be read: of its layers only what is asked for is fetched. */
export interface OpenedImageAt extends ImageAt, AsyncDisposable {
  /** What it is called there, as written there. */
  names: readonly string[]
  /** How a docker-archive calls the files of its layers, lowest first. */
  layerFiles?: readonly string[]
  /** Bytes of one layer as it is there, from `offset` or, where that cannot be, from the beginning. Nobody has checked them. */
  read(layer: number, offset?: number): Promise<{ offset: number; bytes: Bytes }>
  /**
   * What the table of contents of a layer says of its files, where it has one and its registry gives ranges: some thousandth of its bytes. Nobody
   * has compared it with the archive; undefined also where it is damaged.
   */
  table(layer: number): Promise<readonly ListedFile[] | undefined>
}

/** How a registry is asked to delete. */
export interface DeleteOptions extends RegistryAccess {
  /** The tag alone: the image stays, with its other tags. */
  tagOnly?: boolean
  signal?: AbortSignal
}

/** One side of a sync: a registry's repository (or what repositories are below), or a directory of `dir:` directories. */
export type SyncSide = { kind: "docker"; name: string } | { kind: "dir"; path: string }

/** From where to where. */
export interface SyncSides {
  from: SyncSide
  to: SyncSide
}

/** How copies are named, besides what a copy takes. */
export interface SyncOptions extends CopyOptions {
  /** By registry and path, not by the last part of it alone. */
  scoped?: boolean
  /** Behind each tag. */
  appendSuffix?: string
}

/** Two places as `Images.copy` takes them. */
export interface SyncPair {
  from: string
  to: string
}

/** Podman's own store of this user. */
export interface PodmanStoreContents {
  graphRoot: string
  driver: string
  /** Without lists of images; `id`: 64 hex digits. */
  images: readonly { id: string; names: readonly string[] }[]
}

/** What of an image is converted, and into what. */
export interface ConvertOptions {
  /** Of every layer; undefined: as they are. */
  form?: LayerForm
  /** Of the manifest; undefined: the one it has, where that can hold the layers. */
  format?: "oci" | "docker"
  /** All that a name of several platforms leads to; else the image of one platform. */
  all?: boolean
  /** Undefined: the host's. */
  platform?: Platform
  onProgress?: OnProgress
  signal?: AbortSignal
}

/** What the new name leads to. */
export interface ConvertResult {
  /** Of the manifest or index. */
  descriptor: Descriptor
  image: Image
}

/** What the place now has. */
export interface CopyResult {
  /** Of the manifest or index, as it is there. */
  descriptor: Descriptor
}

/** In which form images are saved. */
export interface SaveOptions {
  /** Undefined: every layer as it is. A docker-archive has none compressed. */
  form?: LayerForm
  signal?: AbortSignal | undefined
}

/** The forms of `save`, by their names in containers-transports(5) and podman. */
export const SAVE_FORMATS = ["docker-archive", "oci-archive", "oci-dir", "docker-dir"] as const
/** One of the forms of `save`. */
export type SaveFormat = (typeof SAVE_FORMATS)[number]

/** An archive or a directory of images at a host path, an archive at an address, or one as it comes in. */
export type LoadInput = { path: string } | { url: string } | { bytes: Bytes }

/** Which image of an index, and who hears of it. */
export interface LoadOptions {
  /** Which image of an index; undefined: the host's. */
  platform?: Platform
  onProgress?: OnProgress
  signal?: AbortSignal
}

/** An image that an archive brought, or that was here. */
export interface LoadedImage {
  image: Image
  /** The names it has from the archive, in full. */
  names: readonly string[]
  /** Of these, those that another image had until now, with its id. */
  taken: readonly { name: string; from: Digest }[]
}

/** Names and layers that went, as docker lists them. */
export interface RemoveImageResult {
  untagged: string[]
  deleted: string[]
}

/** How images are evicted. */
export interface EvictOptions {
  /** Tells what would go. */
  dryRun?: boolean
  /** Ids of images that are as good as gone. */
  without?: ReadonlySet<string>
  signal?: AbortSignal
}

/** What had to go for the cap, and whether that was enough. */
export interface EvictResult extends RemoveImageResult {
  reclaimedBytes: number
  /** What images take now, or would; 0 without a cap. */
  usedBytes: number
}

/** One line of `history`. */
export interface HistoryLine {
  /** The image's id on the first line, `<missing>` on those below. */
  id: string
  createdAt: Date | undefined
  createdBy: string
  sizeBytes: number
  comment: string
  /** The image's names, on the first line. */
  tags: readonly string[]
}

/** All that is set must fit; of several values of one, any. */
export interface ImageFilter {
  reference?: readonly string[]
  /** A pattern of `reference` may leave out the registry, and the first parts of the repository. */
  looseNames?: boolean
  dangling?: boolean
  label?: readonly string[]
  before?: string
  since?: string
}

/** All there is to know of one image. */
export interface ImageDetails {
  image: Image
  config: ImageConfig
  /** `layerDirectories`: host directories, lowest first. */
  storage: { driver: string; layerDirectories: readonly string[] }
}

/**
 * The images of one store, for all processes that share it. A call that throws has recorded nothing, but where it says so.
 * What a killed call leaves is held by nobody, and is removed by the next pull, removal or prune.
 */
export interface Images {
  /** Newest first. */
  list(filter?: ImageFilter): Image[]
  /** Whether an image has this layer, on those below it. */
  hasLayer(chainId: ChainId): boolean
  /**
   * By name, id or id prefix. A short name is docker.io's (`debian` is `docker.io/library/debian:latest`), else what
   * registries.conf once made of it, else localhost's. Throws NotFound, which names what is near, and InvalidArgument when
   * it may mean several.
   */
  get(nameOrId: string): Image
  /** Like `get`, but undefined when there is none. */
  find(nameOrId: string): Image | undefined
  /** Throws NotFound when the image has gone, DataLoss when its config is none. */
  config(image: Image): Promise<ImageConfig>
  /** Throws NotFound. */
  inspect(nameOrId: string): Promise<ImageDetails>
  /**
   * The files that its top layer adds, changes and deletes, or, with `since`, of all that differ from another snapshot. An image
   * without layers has none. Throws NotFound.
   */
  fileChanges(nameOrId: string, options?: ChangesOptions): AsyncIterable<FileChange>
  /** All files of its layers, one over the other, as one plain tar. Throws NotFound. */
  files(nameOrId: string): Bytes
  /**
   * Shows its files, read-only, at a path of the host until `unmount` or the next boot; gives the path. Meanwhile its layers
   * stay. Safe to repeat. Throws NotFound, FailedPrecondition for an image without layers.
   */
  mount(nameOrId: string): Promise<string>
  /** False when it was not mounted. Safe to repeat. Throws NotFound. */
  unmount(nameOrId: string): Promise<boolean>
  /** Those that are mounted, with their paths. */
  mounted(): Promise<{ image: Image; mountPoint: string }[]>
  /** Newest first, as docker shows them. Throws NotFound. */
  history(nameOrId: string): Promise<HistoryLine[]>
  /** The one that was pulled, loaded or made. Throws as `config`. */
  manifest(image: Image): Promise<ImageManifest>
  /**
   * Brings in what a registry has under that name, and records it when all of it is there. Safe to repeat, also at once: layers
   * that are there are not fetched again, and what a killed or cancelled call left of one is gone on from. Throws
   * InvalidArgument, NotFound, PermissionDenied, Unavailable, DataLoss, Unsupported, Cancelled.
   */
  pull(name: string, options?: PullOptions): Promise<PullResult>
  /** All of them as a registry that is only read. */
  served(): Promise<RegistryStore>
  /** The names of all tags of a repository, at its registry. Throws InvalidArgument, NotFound, Unavailable. */
  tagsAt(repository: string, options?: PullOptions): Promise<string[]>
  /**
   * Sends an image to the registry that its name says: layers in parallel, those left out that are there. The config, so
   * the id, never changes; nor does the manifest while no layer has to be compressed. Safe to repeat; the tag is set last,
   * so that a killed or cancelled call leaves blobs alone there. Throws NotFound, PermissionDenied, Unavailable, DataLoss.
   */
  push(name: string, options?: PushOptions): Promise<PushResult>
  /**
   * Copies an image between places of containers-transports(5): `docker://NAME`, `oci:PATH[:NAME]`, `oci-archive:PATH[:NAME]`,
   * `docker-archive:PATH[:NAME]`, `dir:PATH`, `docker-daemon:NAME`, and by a name alone this store. Manifests are copied byte for byte where nothing must be
   * changed: plain layers are compressed for a registry, a layout holds OCI's format, a docker-archive no manifest at all. Nothing
   * leads to what a failed or killed call has written; safe to repeat. Throws InvalidArgument, NotFound, AlreadyExists,
   * PermissionDenied, FailedPrecondition where a digest had to change, Unavailable, DataLoss.
   */
  copy(from: string, to: string, options?: CopyOptions): Promise<CopyResult>
  /**
   * Makes another form of an image here: its layers, its manifest. With the same diff ids it is the same image, under both names, and has the
   * new manifest from now on. Safe to repeat; what fails has recorded nothing. Throws InvalidArgument, NotFound, DataLoss.
   */
  convert(nameOrId: string, target: string, options: ConvertOptions): Promise<ConvertResult>
  /**
   * What a sync copies, to be copied one by one: all tags of a repository that is named without one, all images of a directory. Throws
   * InvalidArgument, NotFound, Unavailable.
   */
  syncPairs(sides: SyncSides, options?: SyncOptions): Promise<SyncPair[]>
  /** What podman's own store of this user has: read, not changed. Throws NotFound where there is none, PermissionDenied, DataLoss. */
  podmanStore(): Promise<PodmanStoreContents>
  /** The documents of an image at a place as `copy` knows them; no layer is fetched. Throws as `copy`. */
  lookAt(place: string, options?: CopyOptions): Promise<ImageAt>
  /** The same, open until it is disposed of, with its layers to be read. Throws as `copy`. */
  openAt(place: string, options?: CopyOptions): Promise<OpenedImageAt>
  /**
   * Deletes what `docker://NAME` leads to at its registry, with all tags of it. Throws InvalidArgument, NotFound, PermissionDenied,
   * Unsupported where the registry deletes nothing, Unavailable.
   */
  deleteAt(name: string, options?: DeleteOptions): Promise<void>
  /**
   * Images as one tar. The bytes depend on the images alone. Each chunk is overwritten once the next is asked for. Throws
   * NotFound, before the first chunk; DataLoss when the files of a layer were changed in the store.
   */
  save(names: readonly string[], format: "docker-archive" | "oci-archive", options?: SaveOptions): Bytes
  /** `save` of images that may have no record, under these names. */
  saveSet(
    set: ImageSet,
    names: readonly string[],
    format: "docker-archive" | "oci-archive",
    options?: SaveOptions,
  ): Bytes
  /** `saveSet` as an OCI layout in a directory, which must be empty or not there. */
  saveSetDirectory(set: ImageSet, names: readonly string[], path: string, options?: SaveOptions): Promise<void>
  /**
   * Images as a directory, which must be empty or not there. What fails leaves it empty. Throws NotFound, AlreadyExists,
   * DataLoss.
   */
  saveDirectory(
    names: readonly string[],
    format: "oci-dir" | "docker-dir",
    path: string,
    options?: SaveOptions,
  ): Promise<void>
  /**
   * Brings in all images of a docker archive (old and new form), an OCI archive or layout, or a `dir:` directory of skopeo's;
   * compressed or not. All or, where the archive is not what it says, none. Safe to repeat. Throws NotFound, InvalidArgument,
   * DataLoss, Unsupported, Unavailable, Cancelled.
   */
  load(input: LoadInput, options?: LoadOptions): Promise<LoadedImage[]>
  /** Records an image whose layers are committed snapshots under their chain ids: a build's. Safe to repeat. */
  record(options: RecordImageOptions): Promise<ImageMember>
  /** Like `record`, but in no record: the image lives as long as `lease`, to be pushed and saved. */
  unrecorded(options: RecordImageOptions, lease: Lease): Promise<ImageMember>
  /**
   * Makes the index of a set, whose members are recorded unless `lease` holds them. `names` lead to it from now on, and as
   * an image to this machine's: what is pushed, saved and removed by such a name are all its members.
   */
  index(
    set: ImageSet,
    options: { format: "oci" | "docker"; names: readonly string[]; lease?: Lease },
  ): Promise<Descriptor>
  /** A layer in the form in which it travels. Its bytes are in the content store then, unless `isThere`. */
  compressLayer(layer: Descriptor, form: LayerForm, options: CompressLayerOptions): Promise<Descriptor>
  /** What a name leads to, with all that goes out with it; undefined when there is no such image. */
  findSet(nameOrId: string): Promise<ImageSet | undefined>
  /** What is attested of an image. */
  attestations(image: Image): readonly Attestation[]
  /** Throws NotFound, DataLoss. */
  statement(attestation: Attestation): Promise<Statement>
  /** Lowest first, with the bytes of their files. */
  layers(image: Image): readonly { chainId: ChainId; sizeBytes: number }[]
  /** `target` leads to what `source` leads to, whatever it led to before. Safe to repeat. Throws NotFound, InvalidArgument. */
  tag(source: string, target: string): void
  /**
   * Takes names away from an image, all of them when none is given, and leaves the image. Gives them, in full. Throws NotFound for an
   * image or a name that it does not have; nothing is changed then.
   */
  untag(nameOrId: string, names?: readonly string[]): string[]
  /**
   * Takes a name away, and with the last one the image. Throws NotFound, and FailedPrecondition when a container uses it, or
   * it has more names and `force` is not set. Cancelled or killed, what has gone from the records is gone; files go with the
   * next call.
   */
  remove(
    nameOrId: string,
    options?: { force?: boolean; noPrune?: boolean; signal?: AbortSignal },
  ): Promise<RemoveImageResult>
  /**
   * Removes dangling ones; with `all`, every image that no container uses; with `ids`, of these those alone. Safe to repeat; cancelled
   * as `remove`.
   */
  prune(options?: {
    all?: boolean
    ids?: ReadonlySet<Digest>
    signal?: AbortSignal
  }): Promise<RemoveImageResult & { reclaimedBytes: number }>
  /** Notes that the image is used now: it is the last one to be evicted. Nothing without a cap. */
  used(image: Image): void
  /** What all images may take on disk together; undefined: anything. */
  readonly maxBytes: number | undefined
  /**
   * Brings what images take below the cap, where the store has one: the longest unused go first, and none that is used, kept by the settings,
   * mounted, held by a lease, or was used within the last minute. Pulls, loads, builds, commits and imports do it themselves. Safe to repeat;
   * killed, what has gone from the records is gone, and files go with the next call.
   */
  evict(options?: EvictOptions): Promise<EvictResult>
  /** Makes an image of a root file system that came as an archive. Throws InvalidArgument, DataLoss, Unavailable. */
  import(source: ImportSource, options: ImportOptions): Promise<Image>
  /** Makes an image of a layer as tar, which is read once. Throws InvalidArgument, DataLoss, Unavailable, Cancelled. */
  createFromTar(tar: Bytes, options: CreateImageOptions): Promise<Image>
  /** Makes a base image from the distribution's own packages: no registry is needed. Throws FailedPrecondition with the repair. */
  bootstrap(request: BootstrapRequest): Promise<BootstrapResult>
}

/** An image whose layers are snapshots already. */
export interface RecordImageOptions {
  config: ImageConfig
  /** One for each diff id, lowest first. */
  layers: readonly RecordedLayer[]
  format: "oci" | "docker"
  /** Of the manifest. */
  annotations?: Annotations
  tags?: readonly string[]
  /** To be attested of it. */
  predicates?: readonly Predicate[]
}

/** A layer that is a snapshot already. */
export interface RecordedLayer {
  descriptor: Descriptor
  /** Of its files. */
  sizeBytes: number
  /** There is no blob: its bytes are read from the snapshot when they are asked for. */
  isSnapshotOnly?: boolean
}

/** Which base image is made. */
export interface BootstrapRequest {
  base: "busybox" | "debian"
  /**
   * As Dockerfiles have it; default `latest`. Of Debian, with or without `-slim`: `12`, `bookworm`, `stable`, `latest` (this
   * host's own where it is a Debian); of busybox `latest`, `stable` and the host's version.
   */
  tag?: string
  /** What to call it; default `localhost/BASE:TAG`, which `BASE:TAG` finds. */
  names?: readonly string[]
  onProgress?: OnProgress
  signal?: AbortSignal
}

/** What was made. */
export interface BootstrapResult {
  image: Image
  /** The names it was given, as people type them. */
  names: readonly string[]
}

/** What becomes of one more layer. */
export interface CreateImageOptions {
  name?: string
  /** What the layer is a change of; its layers and history come first. */
  base?: Image
  /** Of the manifest; default OCI's. */
  format?: "oci" | "docker"
  /** Of the manifest. */
  annotations?: Readonly<Record<string, string>>
  config: Omit<ImageConfig, "rootfs" | "history">
  /** The layer's line in the history. */
  createdBy?: string
  comment?: string
  author?: string
  /** Lines of what made no layer, above that one. */
  history?: readonly HistoryEntry[]
  /** No history at all: not the base's either. */
  omitHistory?: boolean
  onProgress?: OnProgress
  signal?: AbortSignal
}

/** The archive of a root file system, compressed or not. */
export type ImportSource = { path: string } | { url: string } | { bytes: Bytes }

/** What becomes of a root file system. */
export interface ImportOptions {
  name?: string
  platform?: Platform
  /** The run parameters (`--change`). */
  config: ImageRunConfig
  /** History's comment; default names the source. */
  message?: string
  onProgress?: OnProgress
  signal?: AbortSignal
}

/** A manifest or index, and its bytes. */
export interface ResolvedManifest {
  descriptor: Descriptor
  bytes: Uint8Array
}

/** Where images come from: a registry, an OCI layout, a docker archive. */
export interface ImageSource {
  /** The manifest or index that `ref` names, and its bytes. Throws NotFound naming what the source answered. */
  resolve(ref: Reference): Promise<ResolvedManifest>
  /** A blob or manifest of the same repository. `offset`: go on from there; a source that cannot starts at 0 and says so. */
  fetch(ref: Reference, descriptor: Descriptor, offset?: number): Promise<{ offset: number; bytes: Bytes }>
  /** Of registries: see `RegistrySource`. Without it, or undefined: the whole blob alone. */
  fetchRange?(ref: Reference, descriptor: Descriptor, range: { start: number; end: number }): Promise<Bytes | undefined>
  /**
   * Of sources on this machine alone, where what has been read need not be kept to go on from there: the blob, as often as
   * it is asked for. Each chunk is overwritten once the next is asked for. Throws NotFound, DataLoss.
   */
  readAgain?(descriptor: Descriptor): Bytes
}
