/**
 * Registries of the distribution spec, and what the host says about them: where a name leads, with which credentials,
 * over which TLS.
 *
 * A `RegistrySource` belongs to one pull, a `RegistryTarget` to one push: it keeps tokens and connections for as long as that
 * lasts. It takes names as they are recorded (`docker.io/library/debian:12`) and finds mirrors, rewrites and credentials by
 * itself. Bytes come unchecked: whoever stores them checks digest and size. Errors name the registry that answered, and what it answered.
 */
import type { Digest } from "../spec/digest.ts"
import type { Descriptor } from "../spec/oci-image.ts"
import type { AccessOptions } from "./server/open-access.ts"
import type { Limits } from "./server/limits.ts"
import type { PeriodicCollection } from "./server/periodic-collection.ts"
import type { RegistryServer, RegistryStore } from "./server/server.ts"

export type { ImmutableTags, Limits, Quota } from "./server/limits.ts"
export type { PeriodicCollection } from "./server/periodic-collection.ts"
export type {
  ManifestReference,
  Page,
  PageRequest,
  RegistryServer,
  RegistryStore,
  RemovedGarbage,
  ServedBlob,
  ServedManifest,
} from "./server/server.ts"

/** A name at a registry: a tag, a digest, or both. */
export interface RemoteReference {
  registry: string
  repository: string
  tag?: string
  digest?: Digest
}

/** A user and password, the token that an OAuth login left, or one that the registry itself takes. */
export type RegistryCredentials =
  { username: string; password: string } | { username: string; identityToken: string } | { registryToken: string }

/** What the user says of how registries are spoken to, in the place of what the host's files say. */
export interface RegistryAccess {
  /** Undefined: https with checks; plain http for loopback registries only. False: as podman's `--tls-verify=false`. */
  tlsVerify?: boolean
  credentials?: RegistryCredentials
  /** No other credentials than `credentials`, whatever the host has. */
  onlyGiven?: boolean
  /** Instead of the places where credentials usually lie. */
  authFile?: string
  /** Holds `*.crt`, `*.cert` and `*.key` as one of certs.d does, and is read instead. */
  certDir?: string
  /** How often a request that was answered 429 or 5xx, or cut off, is sent again. */
  retries?: number
  /** Before it is sent again for the first time; doubles with each. */
  retryDelayMs?: number
}

/** How a registry is spoken to, and for how long. */
export interface RegistryOptions extends RegistryAccess {
  signal?: AbortSignal
}

/**
 * Where one pull reads from. All calls may be repeated; all throw Unavailable when nobody answers after all retries,
 * PermissionDenied when credentials do not suffice, Cancelled or the signal's reason when it is stopped. They change nothing
 * at the registry.
 */
export interface RegistrySource {
  /** The manifest or index that `ref` names, as the registry sent it. Throws NotFound, PermissionDenied, Unavailable. */
  resolve(ref: RemoteReference): Promise<{ descriptor: Descriptor; bytes: Uint8Array }>
  /** A blob of the repository, from `offset` on. The result's `offset` is 0 where the registry cannot begin there. */
  fetch(
    ref: RemoteReference,
    descriptor: Descriptor,
    offset?: number,
  ): Promise<{ offset: number; bytes: AsyncIterable<Uint8Array> }>
  /** The bytes of a blob from `start` to before `end`, no more; undefined where the registry gives whole blobs alone. Throws as `fetch`. */
  fetchRange(
    ref: RemoteReference,
    descriptor: Descriptor,
    range: { start: number; end: number },
  ): Promise<AsyncIterable<Uint8Array> | undefined>
  /** All tags of the repository, as the registry lists them. Throws as `resolve`, and DataLoss. */
  tags(ref: Pick<RemoteReference, "registry" | "repository">): Promise<string[]>
  /**
   * What the registry says refers to a manifest: by its own list, else by the tag that clients keep (distribution spec, "Listing
   * Referrers"); at most its first page. Throws as `resolve`, and DataLoss.
   */
  referrers(ref: RemoteReference, subject: Digest): Promise<Descriptor[]>
}

/** Where a blob may come from instead, and who hears how far it is. */
export interface UploadOptions {
  /** Repositories of the same registry that have the blob, as far as we know; of those that `openTarget` was told. */
  mountFrom?: readonly string[]
  /** Bytes that the registry has taken so far; goes back when a part must be sent again. */
  onProgress?: (sentBytes: number) => void
}

/** Where a blob now is, and how it came there. */
export type Uploaded = { how: "there" | "uploaded" } | { how: "mounted"; from: string }

/** One repository that is pushed to: the registry itself, never a mirror. */
export interface RegistryTarget {
  /** Whether the repository has the blob. */
  has(descriptor: Descriptor): Promise<boolean>
  /**
   * Sees to it that the repository has the blob: looks for it, has it mounted from a repository it may lie in, or sends it,
   * going on where a cut line stopped. `read` gives its bytes from an offset on. Safe to repeat.
   */
  upload(
    descriptor: Descriptor,
    read: (offset: number) => AsyncIterable<Uint8Array>,
    options?: UploadOptions,
  ): Promise<Uploaded>
  /** As `upload`, of a blob that we have not: undefined when it is not there, and in none of `mountFrom`. */
  find(descriptor: Descriptor, mountFrom?: readonly string[]): Promise<Uploaded | undefined>
  /** Stores a manifest under its digest and, where one is given, a tag. Its blobs must be there. Safe to repeat. */
  putManifest(bytes: Uint8Array, descriptor: Descriptor, tag?: string): Promise<void>
  /** What the tag leads to there. Throws NotFound, PermissionDenied. */
  digestOf(tag: string): Promise<Digest>
  /** The manifest that the tag leads to there; undefined where there is no such tag. Throws PermissionDenied, Unavailable. */
  manifestAt(tag: string): Promise<Uint8Array | undefined>
  /**
   * Removes a tag alone, or a manifest with all its tags. Its blobs are the registry's to collect. Needs a target opened with
   * `deletes`. Throws NotFound, PermissionDenied, Unsupported where the registry removes nothing, or no tag without its manifest.
   */
  remove(what: { tag: string } | { digest: Digest }): Promise<void>
  /**
   * Stores a manifest whose `subject` is there, by its digest, so that who asks for the referrers of `subject` is told of
   * it. Where the registry keeps no such list, it is kept under the tag `sha256-HEX`, as the specification says. Safe to repeat.
   */
  putReferrer(bytes: Uint8Array, descriptor: Descriptor, subject: Descriptor): Promise<void>
}

/** How the registry of a push is spoken to. */
export interface TargetOptions extends RegistryOptions {
  /** Repositories of the same registry that may hold some of the blobs. */
  mountFrom?: readonly string[]
  /** Asks for the right to delete, too: to ask without need is refused by some. */
  deletes?: boolean
}

/** Who logs in, and where that is kept. */
export interface LoginOptions extends Pick<RegistryAccess, "authFile" | "certDir" | "tlsVerify"> {
  signal?: AbortSignal | undefined
  username: string
  password: string
}

/** What a short name may mean. */
export interface ShortNameCandidate {
  registry: string
  repository: string
  /** Asked only when the registry of the one before it cannot be reached: one that answers has the last word. */
  fallback?: true
}

/** A repository that a search found. */
export interface FoundRepository {
  registry: string
  repository: string
  description: string
  stars: number
  /** One of Docker's own. */
  isOfficial: boolean
}

/** How a store is served. */
export interface ServeOptions {
  hostname: string
  /** 0: any that is free. */
  port: number
  /** PEM. */
  tls?: { cert: string; key: string } | undefined
  access?: AccessOptions
  /** What may not be changed, and how much may be kept. */
  limits?: Limits | undefined
  /** Prometheus metrics at `/metrics`, for who may list repositories. */
  metrics?: boolean | undefined
  /** Addresses that hear of pushes, pulls, mounts and deletions, in distribution's format. */
  webhooks?: readonly string[] | undefined
  /** Removes garbage so often; the store must be one that can be changed. */
  collect?: PeriodicCollection | undefined
}

/** From where to where, and what of it. */
export interface CopyManifest {
  source: RegistrySource
  from: RemoteReference
  target: RegistryTarget
  /** Where the target is: of the same registry, blobs are mounted from `from`. */
  to: Pick<RemoteReference, "registry" | "repository">
  /** Set last; undefined: it is found by its digest. */
  tag?: string | undefined
  /** Which entries of an index come with it; default all. The index itself stays as it is. */
  keep?: (entry: Descriptor) => boolean
}

/** An image on its way in, as containers-policy.json(5) distinguishes them. */
export type PolicySubject =
  | { transport: "docker"; ref: RemoteReference }
  /** By its full name, or `sha256:ID`. */
  | { transport: "docker-daemon" | "containers-storage"; name: string }
  /** Undefined where it comes by standard input. */
  | {
      transport: "oci" | "oci-archive" | "docker-archive" | "dir"
      path: string | undefined
      name?: string | undefined
    }

/** What the policy asks of one image. */
export interface Admission {
  /** Whose signature is asked for, of each requirement, for people: `the key "/etc/…/team.pub"`. */
  readonly signers: readonly string[]
  /**
   * `digests`: of the image's manifest, then of the indexes that led to it; a signature of any of them is one of the image. `source`:
   * where sigstore's attachments are, of an image of a registry. Throws PermissionDenied unless it is signed as the policy asks.
   */
  admit(digests: readonly Digest[], source?: RegistrySource): Promise<void>
}

/** Whose keys sign, and under which name. */
export interface SigningOptions {
  /** An OpenPGP key in the caller's keyring, by fingerprint or user id. */
  gpg?: string
  /** The path of a private key as cosign and skopeo make them. */
  sigstoreKey?: string
  /** Of the one or the other; undefined: GnuPG's agent asks, and a sigstore key has none. */
  passphrase?: string
  /** The reference that is signed instead of the destination's. */
  identity?: string
  /** Simple signatures are written below this directory, and not where registries.d says. */
  directory?: string
}

/** What is signed of what is at a registry, and how. */
export interface SignRemoteOptions extends RegistryOptions {
  signing: SigningOptions
  /** The images of all platforms of an index. */
  all?: boolean
}

/** Signs what has been pushed. Its keys are there, and can be used. */
export interface Signer {
  /** Writes the signatures of a manifest that `target` has, beside those that are there. Safe to repeat. */
  sign(ref: RemoteReference, digest: Digest, target: RegistryTarget): Promise<void>
}

/** Where a new pair of keys was written. */
export interface KeyPair {
  privateKey: string
  publicKey: string
}

/** What must be true of an image to come in; others of containers-policy.json(5) by their own names. */
export type TrustRequirement = "accept" | "reject" | "signed" | "sigstoreSigned" | (string & {})

/** One line of the policy. */
export interface TrustedScope {
  /** `all` of the default, `repository` of registries, else a transport's name. */
  transport: string
  /** `default`, or which images. */
  name: string
  requirement: TrustRequirement
  /** Files of public keys, or whom a certificate must name. */
  keys: readonly string[]
}

/** How a scope shall be trusted. */
export interface TrustRule {
  type: "accept" | "reject" | "signedBy" | "sigstoreSigned"
  /** Absolute paths of public keys; of the signed types at least one. */
  keyPaths: readonly string[]
}

/** All registries, as the host's files and the caller's options lead to them. Files are read when they are first needed. */
export interface Registries {
  /** The full repositories that one without registry (`debian`, `foo/bar`) may mean, in the order to try. */
  candidates(shortRepository: string): Promise<ShortNameCandidate[]>
  /**
   * What policy.json asks of this image, by the most specific scope it lies in; undefined: nothing. Throws PermissionDenied where it
   * rejects the image, InvalidArgument for a policy that cannot be understood.
   */
  admission(subject: PolicySubject): Promise<Admission | undefined>
  /** What policy.json says of each scope, the default first; without one everything is accepted. Throws InvalidArgument. */
  trust(): Promise<TrustedScope[]>
  /** policy.json as it counts. Throws InvalidArgument. */
  rawPolicy(): Promise<unknown>
  /**
   * From now on `scope` (`default`, a registry, a repository, one tag) is trusted by `rule` alone. Gives the changed file: the one that
   * counts, or the user's own, which begins as a copy of the host's. Throws InvalidArgument.
   */
  setTrust(scope: string, rule: TrustRule): Promise<string>
  /** Opens the keys. Throws InvalidArgument, NotFound or FailedPrecondition for one that cannot sign. */
  signer(options: SigningOptions): Promise<Signer>
  /**
   * Signs what a name at a registry leads to: of an index itself and the image for this machine's platform, or all. Gives the digests.
   * Throws as `signer`, and NotFound, PermissionDenied, Unavailable.
   */
  sign(ref: RemoteReference, options: SignRemoteOptions): Promise<Digest[]>
  /** Makes a pair of sigstore's keys: `PREFIX.private` and `PREFIX.pub`. Throws AlreadyExists where one of them is there. */
  makeKeyPair(prefix: string, passphrase: string): Promise<KeyPair>
  open(options?: RegistryOptions): Promise<RegistrySource>
  /** Throws PermissionDenied when registries.conf blocks the registry. */
  openTarget(ref: RemoteReference, options?: TargetOptions): Promise<RegistryTarget>
  /**
   * Tries the credentials at the registry, then keeps them: with the helper that the auth file names, else in the file.
   * Gives where they are now. Throws PermissionDenied when the registry refuses them; nothing is then kept.
   */
  login(registry: string, options: LoginOptions): Promise<{ keptIn: string; isHelper: boolean }>
  /** Forgets the registry's credentials; false when there were none. Safe to repeat. */
  logout(registry: string, options?: { authFile?: string; signal?: AbortSignal | undefined }): Promise<boolean>
  /** Who is logged in; undefined when nobody is. */
  userOf(
    registry: string,
    options?: { authFile?: string; signal?: AbortSignal | undefined },
  ): Promise<string | undefined>
  /**
   * Repositories whose name or description has the term; at most `limit`. Throws Unsupported when the registry lists none,
   * PermissionDenied, Unavailable, DataLoss.
   */
  search(registry: string, term: string, options: RegistryOptions & { limit: number }): Promise<FoundRepository[]>
  /** The names of all repositories of a registry, as it lists them. Throws as `search`. */
  repositories(registry: string, options?: RegistryOptions): Promise<string[]>
  /** Those with credentials in the auth files. */
  loggedIn(options?: { authFile?: string }): Promise<string[]>
  /** Answers as a registry until it is disposed. Throws Unavailable for a taken port, InvalidArgument for an address that is none. */
  serve(store: RegistryStore, options: ServeOptions): Promise<RegistryServer>
  /**
   * Copies what `from` names as it is, byte for byte: an index with its images, a manifest with its blobs. What is there already is not
   * sent. Safe to repeat; the manifest goes last, so that a killed call leaves blobs alone. Gives what `from` named. Throws NotFound,
   * PermissionDenied, Unavailable, DataLoss.
   */
  copy(copy: CopyManifest): Promise<Descriptor>
}
