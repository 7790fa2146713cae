/**
 * Builds: a Dockerfile and a context become an image, with no daemon.
 *
 *   text ─ parse ─▶ Dockerfile ─ plan ─▶ graph of vertices ─ solve ─▶ layers + config ─ export ─▶ image, directory, archive
 *
 * Parsing (dockerfile/) is pure. Planning (plan/) knows Dockerfile semantics and resolves base images; it makes the graph
 * (graph/definition.ts), whose vertices are pure data keyed by content. Solving (solve/) runs what the cache does not hold,
 * independent vertices at once. The work of one vertex is done by work/ (RUN, COPY, ADD). What a killed build leaves
 * (snapshots, mounts, network namespaces) is removed by the next one.
 */
import type { Cancellable } from "../base/cancel.ts"
import type { ProgressEvent } from "../base/progress.ts"
import type { SourceRange } from "../dockerfile/dockerfile.ts"
import type { Image, LayerForm } from "../image/image.ts"
import type { ChainId, Digest } from "../spec/digest.ts"
import type { Predicate } from "../spec/in-toto.ts"
import type { Descriptor } from "../spec/oci-image.ts"
import type { RegistryAccess } from "../registry/registry.ts"
import type { EgressRule } from "../spec/docker/egress-rule.ts"
import type { Ulimit } from "../spec/docker/ulimit.ts"
import type { Platform } from "../spec/platform.ts"
import type { Resources } from "../container/container.ts"
import type { RunToEndOptions } from "../runtime/runtime.ts"
import type { DeviceRequest } from "../spec/docker/device-request.ts"
import type { ImageRunConfig } from "../spec/oci-image.ts"
import type { TerminalSize } from "../sys/terminal/terminal.ts"
import type { AttestationRequest } from "./words/attest.ts"
import type { CacheSource, CacheTarget } from "./words/cache.ts"
import type { BuildContext, NamedContext, SecretSource, SshSource } from "./words/sources.ts"

export type { SourceRange } from "../dockerfile/dockerfile.ts"
export { readAttest, readProvenance, readSbom, SBOM_FORMATS } from "./words/attest.ts"
export type { AttestationRequest, AttestOption } from "./words/attest.ts"
export { readCacheSource, readCacheTarget } from "./words/cache.ts"
export type { CacheForm, CacheSource, CacheTarget } from "./words/cache.ts"
export { dockerfileOfDirectory, readDockerfile } from "./words/dockerfile-file.ts"
export { readContextWord, readNamedContext, readSecret, readSsh } from "./words/sources.ts"
export type { BuildContext, NamedContext, SecretSource, SshSource } from "./words/sources.ts"

/** `--output`: what is made of the result. */
export type BuildOutput =
  /** Into the store, under the request's tags. */
  | { type: "image" }
  /** The files of the result, as they are (`-o DIR`); of several platforms, or when split, each in a directory `linux_amd64`. */
  | { type: "local"; path: string; split?: boolean; attestationPrefix?: string }
  /** The files as one tar; path `-` is standard output, given by the caller as a descriptor number. */
  | { type: "tar"; path: string | number; split?: boolean; attestationPrefix?: string }
  /** Its layers are plain: the form has no other. */
  | { type: "docker"; path: string | number }
  | { type: "oci"; path: string | number; form?: LayerForm }
  /** The same files in a directory. */
  | { type: "oci-directory"; path: string; form?: LayerForm }
  | { type: "registry"; form?: LayerForm; byDigest?: boolean }

/** What `--annotation` and `annotation.KEY=` say. */
export interface ImageAnnotation {
  /** The document, or its descriptor in the index or layout that names it. */
  of: "manifest" | "index" | "manifest-descriptor" | "index-descriptor"
  /** Only of this one; undefined: of all. */
  platform?: Platform
  key: string
  value: string
}

export type { SbomFormat } from "../sbom/sbom.ts"

/** What Buildah changes besides what the Dockerfile says. */
export interface ImageEdits {
  /** `--from`: in the place of the first FROM's image. */
  from?: string
  /** `--env`: set at the beginning of each stage, and kept in the image. */
  env?: Readonly<Record<string, string>>
  /** `--unsetenv`: not in the image. */
  unsetEnv?: readonly string[]
  /** `--unsetlabel`: not taken from the base image. */
  unsetLabels?: readonly string[]
  /** `--inherit-labels=false`: none is. */
  dropsBaseLabels?: boolean
  /** `--omit-history`. */
  omitsHistory?: boolean
}

/**
 * What stands between a step and us, best first:
 *
 *   full        an OCI runtime: all namespaces, cgroups, a network of its own, a filter of system calls
 *   userns      namespaces of users, mounts, processes, IPC and names; our network, our cgroup, our filter
 *   single-uid  the same with one id: files can belong to nobody but root, and no step can run as another user
 *   chroot      another root and fewer capabilities: the step sees our network, and could signal our processes
 */
export type IsolationLevel = "full" | "userns" | "single-uid" | "chroot"
/** `auto`: the best level that is possible here. */
export type RequestedIsolation = IsolationLevel | "auto"

/** A file or directory of the host, in the step as it is; of an overlay, what is written goes away with the step. */
export interface HostMount {
  source: string
  target: string
  access: "rw" | "ro" | "overlay"
  propagation?: string
}

/** How a step differs from one of a Dockerfile. */
export interface RunChoices {
  volumes: readonly HostMount[]
  capAdd: readonly string[]
  capDrop: readonly string[]
  devices: readonly DeviceRequest[]
  securityOptions: readonly string[]
  dns: readonly string[]
  dnsSearch: readonly string[]
  dnsOptions: readonly string[]
  /** Where alone it may send; undefined: everywhere. Only a network of its own is bounded: a step without one is refused. */
  allow?: readonly EgressRule[]
  hostname?: string
  /** The image's own files stay to be seen: `--no-hosts`, `--dns none`. */
  ownHosts?: boolean
  ownResolvConf?: boolean
  /** The caller's variables of proxies are the step's too; default true for `builder run`. */
  passesProxies?: boolean
  /** Namespace files (`/proc/PID/ns/net`), or the host's. */
  netns?: string
  ipc?: Namespace
  pid?: Namespace
  uts?: "private" | "host"
  streams?: StepStreams
}

type Namespace = "private" | "host" | { path: string }

/** How the program is joined to who waits for it. */
export interface StepStreams {
  /** Descriptor that it reads. */
  stdin?: number
  /** It has a terminal, which is joined to the one on our descriptors 0, 1 and 2. */
  terminal: boolean
  /** What the terminal begins with; from then on it has the size of ours. */
  size?: TerminalSize
  /** Passes on the signals that reach us. */
  signals: RunToEndOptions["signals"]
}

/** All that a build is asked for. Paths are absolute or relative to the caller's working directory. */
export interface BuildRequest {
  /** Undefined: read `Dockerfile`, then `Containerfile`, from the context. */
  dockerfile?: { text: string; name: string } | { pathInContext: string }
  context: BuildContext
  /** In the place of the context's own ignore file: `--ignorefile`, or the one beside a Dockerfile outside the context. */
  ignoreFile?: { text: string; name: string }
  namedContexts: Readonly<Record<string, NamedContext>>
  target?: string
  /** `--build-arg`. */
  args: Readonly<Record<string, string>>
  /** Empty: the host's. */
  platforms: readonly Platform[]
  tags: readonly string[]
  /** One of the tags: images of other platforms that it leads to already are kept beside the new ones (`--manifest`). */
  manifest?: string
  labels: Readonly<Record<string, string>>
  edits?: ImageEdits
  annotations: readonly ImageAnnotation[]
  /** Weighs all files of the context for `contextSize`. */
  weighsContext?: boolean
  /** Undefined: nothing is attested, and nothing is looked at for it. */
  attestations?: readonly AttestationRequest[]
  /** Build it twice, and throw where the second result has another byte: FailedPrecondition naming the first. */
  verifyReproducible?: boolean
  secrets: readonly SecretSource[]
  ssh: readonly SshSource[]
  /** True: no cache at all; names: none for these stages. */
  noCache: boolean | readonly string[]
  /** `--cache-ttl`: what is older is done again. */
  cacheTtlMs?: number
  cacheFrom?: readonly CacheSource[]
  cacheTo?: readonly CacheTarget[]
  pull: "always" | "missing" | "never"
  network: "default" | "none" | "host"
  /** `name:address`. */
  extraHosts: readonly string[]
  ulimits: readonly Ulimit[]
  resources: Resources
  shmSizeBytes?: number
  /** All new layers as one; `all`: those of the base with them. */
  squash: boolean | "all"
  /** Seconds since 1970 (SOURCE_DATE_EPOCH, `--timestamp`): `created` and the times in the history; with `rewriteTimes`, of files too. */
  epoch?: number
  /** `--timestamp` of buildah, `rewrite-timestamp=true` of buildx: no file of a new layer is younger than `epoch`. */
  rewriteTimes: boolean
  /** Vertices at once; undefined: as many as there are processors, but at least 4. */
  jobs?: number
  /** `--allow security.insecure`, `network.host`. */
  allow: readonly string[]
  outputs: readonly BuildOutput[]
  /** Manifest format of the result. */
  format: "oci" | "docker"
  runtime?: string
  /** Default `auto`: the best that this place allows. */
  isolation?: RequestedIsolation
  /** How RUN differs from what BuildKit makes of it; no part of any cache key. */
  more?: Partial<RunChoices>
  access: RegistryAccess
  signal?: AbortSignal
}

/** What a front end shows of a build while it runs. `vertex` is one number per vertex of this build, in the order of the plan. */
export type BuildEvent =
  | { kind: "vertex"; vertex: number; name: string; source?: SourceRange }
  | { kind: "started"; vertex: number; at: number }
  /** `from`: the cache of `--cache-from` that had it; undefined: our own. */
  | { kind: "cached"; vertex: number; at: number; from?: string }
  | { kind: "done"; vertex: number; at: number }
  | { kind: "canceled"; vertex: number; at: number }
  | { kind: "failed"; vertex: number; at: number; error: string }
  | { kind: "log"; vertex: number; stream: "stdout" | "stderr"; bytes: Uint8Array }
  /** A line below the vertex (a layer that is pulled, bytes of the context); replaced by a later one of the same id. */
  | ({ kind: "progress"; vertex: number } & ProgressEvent)
  | { kind: "warning"; rule: string; message: string; source?: SourceRange }
  /** Why a step was not taken from the cache: the first input that differs. */
  | { kind: "miss"; vertex: number; reason: string }

/** Called in the order of events, never after the build has returned. */
export type OnBuildEvent = (event: BuildEvent) => void

/** What one line of the Dockerfile costs. */
export interface LayerCost {
  /** The Dockerfile's line(s), as history shows them. */
  createdBy: string
  source?: SourceRange
  bytes: number
  /** Of these, bytes that a later layer deletes or replaces. */
  wastedBytes: number
}

/** How much of a context the ignore file keeps out. */
export interface ContextSize {
  /** Of the files that the ignore file leaves. */
  bytes: number
  /** Of all. */
  allBytes: number
}

/** What a build gives its caller; the files themselves are where the outputs say. */
export interface BuildResult {
  /** One for each platform; absent where no image was asked for. */
  images: readonly Image[]
  /** The manifest's (or, of several platforms, the index's) digest: where it was pushed, as the registry has it. */
  digest: Digest | undefined
  /** Of that document. */
  descriptor: Descriptor | undefined
  /** What is attested, in the order of the platforms. */
  attested: readonly { platform: Platform; predicates: readonly Predicate[] }[]
  costs: readonly LayerCost[]
  /** Where it was asked for. */
  contextSize?: ContextSize
}

/** A finding of `--check`, ready to be shown. */
export interface BuildWarning {
  /** BuildKit's rule name (`JSONArgsRecommended`), or ours. */
  rule: string
  message: string
  hint: string
  source: SourceRange
  /** The lines themselves with their numbers, to show. */
  quote?: string
}

/** A build that has ended, as it is remembered. */
export interface PastBuild {
  /** 24 hexadecimal digits. */
  id: string
  /** Of its context and its Dockerfile, without credentials. */
  name: string
  status: "completed" | "error" | "canceled"
  startedAt: Date
  endedAt: Date
  /** Where its files came from: a path, a URL, `-`. */
  context: string
  dockerfile?: string
  target?: string
  /** Empty: the host's. */
  platforms: readonly string[]
  tags: readonly string[]
  /** The images that it made. */
  images: readonly Digest[]
  /** Of the manifest or index that it made. */
  digest?: Digest
  error?: string
  /** `done` counts those from the cache too. */
  steps: { total: number; done: number; cached: number }
}

/** The last builds of this store. What was killed is not remembered. */
export interface BuildHistory {
  /** Newest first. */
  list(): PastBuild[]
  /** By the beginning of its id; `^N` is the Nth before the newest. Throws NotFound, InvalidArgument when several begin so. */
  get(ref: string): PastBuild
  /** What its steps wrote, as plain lines; a long one is cut. Throws as `get`. */
  log(ref: string): string
  /** Forgets these. Throws as `get`, and then forgets none. */
  remove(refs: readonly string[]): void
  /** Forgets all. */
  clear(): void
}

/** One entry of the build cache. */
export interface CacheUse {
  id: string
  /** `regular`: a step's layer; `exec.cachemount`: what `--mount=type=cache` keeps. */
  type: "regular" | "exec.cachemount"
  description: string
  sizeBytes: number
  createdAt: Date
  lastUsedAt: Date
  uses: number
  inUse: boolean
  /** The snapshot of a step's layer. */
  layer?: ChainId
}

/** What of the cache is removed: longest unused first, until what is asked to be kept is left. */
export interface PruneOptions extends Cancellable {
  /** Also what images have; else only what no image has. */
  all?: boolean
  /** Only what was not used for so long. */
  olderThanMs?: number
  /** The cache may be so big; none of these three: nothing is kept. */
  maxUsedBytes?: number
  /** So much of the disk shall be free afterwards. */
  minFreeBytes?: number
  /** The cache may be so big, whatever the others say. */
  reservedBytes?: number
}

/** Builds of one store. Several processes may build at once: equal steps are done once, and the others wait for them. */
/** A build's input. Only the context must be given; the rest has the defaults of build-options.ts: one image, in the store, without a name. */
export type BuildOptions = Pick<BuildRequest, "context"> & Partial<BuildRequest>

export interface Builds {
  /**
   * The run parameters `config` after Dockerfile instructions (`--change` of commit and import), by the rules of a build.
   * Throws InvalidArgument for an instruction that would need files.
   */
  applyChanges(config: ImageRunConfig, changes: readonly string[]): Promise<ImageRunConfig>
  /** Throws a SkiffError that quotes the Dockerfile's lines; for a failing RUN with the program's exit code. */
  build(options: BuildOptions, onEvent: OnBuildEvent): Promise<BuildResult>
  /** Reads and lints, builds nothing. Throws as `build` for what cannot be read. */
  check(options: BuildOptions): Promise<BuildWarning[]>
  /** Ends what a killed build was running; `build` is the id that its watcher was given. Safe to repeat. */
  sweepKilled(build: string, cancellable?: Cancellable): Promise<void>
  /** Reads all that the cache holds. */
  diskUsage(cancellable?: Cancellable): Promise<CacheUse[]>
  prune(options: PruneOptions): Promise<{ ids: string[]; reclaimedBytes: number }>
  history(): Promise<BuildHistory>
}
