/**
 * Working containers: an image made step by step, Buildah's way.
 *
 *   from(image) ─▶ working container ─ run, copy, configure, or by hand below mount() ─ commit ─▶ image
 *                         └──────────────────────── again and again ─────────────┘        remove
 *
 * A working container is a row (its name, what its image's config will say) and a writable snapshot; no process of it runs
 * between commands, and nothing of it is mounted unless `mount` was asked for. Changes to one container happen one after
 * another: each holds its lock. A killed command leaves at most its mount, which the next one takes over or undoes.
 */
import type { Cancellable } from "../base/cancel.ts"
import type { OnProgress } from "../base/progress.ts"
import type { Image } from "../image/image.ts"
import type { RegistryAccess } from "../registry/registry.ts"
import type { Digest } from "../spec/digest.ts"
import type { HistoryEntry, ImageConfig, ImageRunConfig } from "../spec/oci-image.ts"
import type { Platform } from "../spec/platform.ts"
import type { RunOperation } from "../build/plan/definition.ts"
import type { RunSettings, WorkContext } from "../build/execute/executor.ts"

/**
 * A root file system and a config that commands change until they are committed as an image (buildah's working container).
 */
export interface WorkingContainer {
  /** 64 hex digits. */
  id: string
  name: string
  /** As typed; `scratch` for none. */
  imageName: string
  /** Undefined for `scratch`. */
  imageId: Digest | undefined
  createdAt: Date
  workingImage: WorkingImage
  /** Where its files are, while `mount` holds. */
  mountPoint: string | undefined
  defaults: WorkingDefaults
}

/** What `from` was told for the commands to come. */
export interface WorkingDefaults {
  run?: RunDefaults
  format?: "oci" | "docker"
}

/** Of each `run`, unless it says otherwise; lists add up. */
export interface RunDefaults {
  network?: RunOperation["network"]
  settings?: Partial<RunSettings>
}

/** What the image to be will say of itself. */
export interface WorkingImage extends Omit<ImageConfig, "rootfs" | "history" | "created" | "config"> {
  config: ImageRunConfig
  annotations: Record<string, string>
  comment?: string
  /** Of the line in the history that the next commit writes for its layer. */
  createdBy?: string
  historyComment?: string
  /** Lines above that one, of steps that asked for them. */
  history?: readonly HistoryEntry[]
}

/** An undefined value takes the key out; of the key `-`, all of them. */
export type KeyedChanges = readonly (readonly [key: string, value: string | undefined])[]

/** `builder config`: undefined fields stay as they are. */
export interface ConfigChanges {
  about: Partial<
    Pick<
      WorkingImage,
      "author" | "architecture" | "os" | "os.version" | "variant" | "comment" | "createdBy" | "historyComment"
    >
  >
  /** Replaced as they are, but for fields of Healthcheck that are not given; an empty list or text clears. */
  config: Pick<
    ImageRunConfig,
    "User" | "WorkingDir" | "StopSignal" | "Cmd" | "Entrypoint" | "Shell" | "Healthcheck" | "Hostname" | "Domainname"
  >
  /** `$NAME` and `${NAME}` are variables of the container. */
  env: KeyedChanges
  labels: KeyedChanges
  annotations: KeyedChanges
  /** `80/tcp` or `80`. */
  ports: KeyedChanges
  volumes: KeyedChanges
  osFeatures: KeyedChanges
  /** Added at the end. */
  onBuild: readonly string[]
  /** Each change becomes a line of the history. */
  addHistory: boolean
}

/** `builder from`. */
export interface FromOptions {
  /** Default: the image's last component and `-working-container`. */
  name?: string
  pull: "always" | "missing" | "never"
  platform?: Platform
  access: RegistryAccess
  defaults?: WorkingDefaults
  onProgress?: OnProgress
  signal?: AbortSignal
}

/** `builder run`. */
export interface WorkingRun extends RunDefaults {
  argv: readonly string[]
  env: readonly string[]
  user?: string
  cwd?: string
  /** As RUN --mount has them, but that a bind without `from` is of the host's files. */
  mounts: readonly string[]
  /** Where relative sources of those lie; default: the working directory. */
  contextDir?: string
  addHistory: boolean
  onLog: WorkContext["onLog"]
  onProgress?: WorkContext["onProgress"]
  signal?: AbortSignal
}

/** `builder copy` and `builder add`. */
export interface WorkingCopy {
  /** Paths on the host, or in `from`; with `unpack` also URLs. */
  sources: readonly string[]
  /** Undefined: the working directory. */
  target: string | undefined
  /** A working container or an image to take the sources from; one that is not there is pulled. */
  from?: string
  access?: RegistryAccess
  chown?: string
  chmod?: string
  exclude: readonly string[]
  /** Sources are of this directory alone, an absolute host path; `ignored`: the text of an ignore file about its paths. */
  context?: { directory: string; ignored?: string }
  /** ADD: archives are unpacked, URLs fetched. */
  unpack: boolean
  /** A digest of what was copied is wanted: hexadecimal, of names, modes and contents. */
  digest: boolean
  addHistory: boolean
  signal?: AbortSignal
}

/** `builder commit`. */
export interface WorkingCommit {
  name?: string
  /** Default: as `from` was told, else `oci`. */
  format?: "oci" | "docker"
  squash: boolean
  omitHistory: boolean
  /** Not in the image. */
  unsetEnv: readonly string[]
  /** Of the image and the new layer's files, in seconds. */
  epoch?: number
  signal?: AbortSignal | undefined
}

/**
 * Working containers of one store. Each call that changes one holds its lock; a killed or cancelled one leaves it as it was, or
 * with the changes to its files that the program had made.
 */
export interface WorkingContainers {
  /** Throws AlreadyExists for a name that is taken. */
  from(image: string, options: FromOptions): Promise<WorkingContainer>
  /** Oldest first. */
  list(): WorkingContainer[]
  /** By name, id or a prefix of it. Throws NotFound. */
  get(nameOrId: string): WorkingContainer
  /** Throws FailedPrecondition with the program's exit code. */
  run(nameOrId: string, run: WorkingRun): Promise<void>
  /** Gives what `digest` asks for. */
  copy(nameOrId: string, copy: WorkingCopy): Promise<string | undefined>
  configure(nameOrId: string, changes: ConfigChanges, cancellable?: Cancellable): Promise<void>
  /** Mounts its files until `unmount`, the next boot, or the end of the rootless namespaces; gives the path. Safe to repeat. */
  mount(nameOrId: string, cancellable?: Cancellable): Promise<string>
  /** Safe to repeat. */
  unmount(nameOrId: string, cancellable?: Cancellable): Promise<void>
  /** The working container stays as it is. */
  commit(nameOrId: string, commit: WorkingCommit): Promise<Image>
  /** Throws AlreadyExists. */
  rename(nameOrId: string, name: string): void
  remove(nameOrId: string, cancellable?: Cancellable): Promise<void>
}
