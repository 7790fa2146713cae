/** The work of one vertex, as solve/ asks for it. Roots are mounted by the caller, and hostile: see archive/ and sys/confined. */
import type { OnProgress } from "../../base/progress.ts"
import type { RequestedIsolation, RunChoices, SecretSource, SshSource } from "../build.ts"
import type { FilesOperation, RunOperation } from "../plan/definition.ts"
import type { Digest } from "../../spec/digest.ts"
import type { Resources } from "../../container/container.ts"
import type { Ulimit } from "../../spec/docker/ulimit.ts"

/** A file system that can be read: the mounted root of a stage or image, or a plain directory of a context. */
export interface Source {
  /** Absolute host path. */
  path: string
  /** Of a context: what the ignore file leaves out. Paths are relative to the root, no leading slash. */
  excludes?: (path: string, isDirectory: boolean) => boolean
  /** Whether a directory that `excludes` leaves out must be looked through, for what a later `!` pattern takes back. */
  mayHoldIncluded?: (path: string) => boolean
  /** Equal for what holds the same files; undefined where that is not known. */
  identity?: string
  /** Owner of what is copied without `--chown`: a context's files become 0:0. */
  keepsOwners: boolean
  /** Whether extended attributes go along; default: as owners do. */
  keepsAttributes?: boolean
}

/** What a RUN needs from the request rather than from its vertex: it is no part of the cache key. */
export interface RunSettings {
  secrets: readonly SecretSource[]
  ssh: readonly SshSource[]
  extraHosts: readonly string[]
  ulimits: readonly Ulimit[]
  resources: Resources
  shmSizeBytes?: number
  runtime?: string
  /** Default `auto`. */
  isolation?: RequestedIsolation
  /** `HTTP_PROXY=…` of the predefined build arguments, for variables that the step has not set itself. */
  proxy?: readonly string[]
  /** What only `builder run` asks for: a Dockerfile's RUN has none of it. */
  more?: Partial<RunChoices>
}

/** Whom a step tells of its progress, and who may stop it. */
export interface WorkContext {
  signal?: AbortSignal
  onLog(stream: "stdout" | "stderr", bytes: Uint8Array): void
  onProgress: OnProgress
}

/** Does the steps of one build. Each call may run beside others; a step that fails leaves nothing but its root half done. */
export interface Executor extends AsyncDisposable {
  /**
   * Runs a program in `root` (mounted, writable; sources as in the vertex's inputs). What it needed for its time
   * (mount points, resolv.conf, hosts) is gone from `root` afterwards. Throws FailedPrecondition with the program's exit
   * code as `data.programExit`.
   */
  run(
    operation: RunOperation,
    root: string,
    sources: readonly Source[],
    settings: RunSettings,
    context: WorkContext,
  ): Promise<void>
  /** Copies into `root`. With `epoch` (seconds), made directories and files have that time. Throws NotFound naming the pattern. */
  files(
    operation: FilesOperation,
    root: string,
    sources: readonly Source[],
    context: WorkContext & { epoch?: number },
  ): Promise<void>
  /**
   * A digest of all that `operation` reads of one input: names, modes, owners where they count, link targets and contents;
   * no times (buildkit cache/contenthash). `undefined` where it reads nothing of it.
   */
  sourceDigest(operation: FilesOperation | RunOperation, input: number, source: Source): Promise<Digest | undefined>
  /** Fetches what `url` names to `directory`, under the name it has there; gives the name. Throws Unavailable, DataLoss. */
  download(url: string, directory: string, checksum: Digest | undefined, context: WorkContext): Promise<string>
  /** Clones into `directory` (url#ref:subdir). Throws Unavailable; refuses refs and URLs that look like options. */
  clone(
    url: string,
    directory: string,
    options: {
      keepGitDir: boolean
      /** The commit that must be found, whole or its beginning. */
      checksum?: string
      /** Default true. */
      submodules?: boolean
    },
    context: WorkContext,
  ): Promise<{ commit: string }>
}
