/**
 * The graph of one build: vertices are pure data, joined by `inputs`. Nothing here names a host path, a time or a build, so
 * that equal work of two builds is the same vertex (buildkit docs/dev/solver.md has the idea).
 *
 * A vertex gives a file system: layers over each other (`image`, `run`, `files`, `merge`, `scratch`) or a plain tree
 * (`context`, `http`, `git`, `inline`), which only `files` and the mounts of `run` read.
 */
import type { SourceRange } from "../build.ts"
import type { Digest } from "../../spec/digest.ts"
import type { Platform } from "../../spec/platform.ts"

/** One step of the graph. Equal vertices of a build are one object. */
export interface Vertex {
  readonly operation: Operation
  /** File systems that the operation reads; it names them by their index here. */
  readonly inputs: readonly Vertex[]
  /** As shown: `[build 2/5] RUN make`. */
  readonly name: string
  readonly source?: SourceRange
  /** `--no-cache`, or that of its stage. */
  readonly ignoreCache: boolean
  readonly platform: Platform
}

/** What a vertex does; pure data, from which its key is made. */
export type Operation =
  | { kind: "scratch" }
  /** A base image, resolved: the store holds it. `layers`: chain ids from the bottom up. */
  | { kind: "image"; name: string; id: Digest }
  /** The build's context or a named one. `include` (stage-independent): all patterns that the build reads, undefined for everything. */
  | { kind: "context"; name: string }
  /** `fileName`: what the file is called in the tree. */
  | { kind: "http"; url: string; checksum?: Digest; fileName?: string }
  /** `checksum`: the commit, or its beginning, that must be found. */
  | { kind: "git"; url: string; keepGitDir: boolean; checksum?: string; submodules?: boolean }
  /** Files of here-documents, by their names; `mode` is 0644 unless given. */
  | { kind: "inline"; files: Readonly<Record<string, string>>; mode?: number }
  | RunOperation
  | FilesOperation
  /** `COPY --link`: the layers of `inputs[0]`, then those of `inputs[1]`, which were made on nothing. */
  | { kind: "merge" }

/** RUN. `inputs[0]` is the root. */
export interface RunOperation {
  kind: "run"
  argv: readonly string[]
  /** Whole environment, with the ARGs in force. */
  env: readonly string[]
  cwd: string
  /** As USER has it: `name`, `uid:gid`, … resolved in the root. */
  user: string
  mounts: readonly RunMount[]
  network: "default" | "none" | "host"
  security: "sandbox" | "insecure"
}

/** `RUN --mount`, with its variables put in. */
export type RunMount =
  /** `from`: index of an input; its directory or file `source` is there read-only, or writable with the changes thrown away. */
  | { type: "bind"; target: string; from: number; source: string; writable: boolean }
  | {
      type: "cache"
      target: string
      id: string
      sharing: "shared" | "private" | "locked"
      /** What it holds at first. */
      from?: number
      source: string
      readOnly: boolean
      mode: number
      uid: number
      gid: number
    }
  | { type: "tmpfs"; target: string; sizeBytes?: number }
  | {
      type: "secret"
      id: string
      target?: string
      env?: string
      required: boolean
      mode: number
      uid: number
      gid: number
    }
  | { type: "ssh"; id: string; target?: string; required: boolean; mode: number; uid: number; gid: number }

/** COPY, ADD and WORKDIR. `inputs[0]` is the root that is written to. */
export interface FilesOperation {
  kind: "files"
  actions: readonly FileAction[]
  /** SOURCE_DATE_EPOCH: the time of all that is made, in seconds. */
  epoch?: number
}

/** One part of COPY or ADD, or a directory that WORKDIR makes. */
export type FileAction =
  | {
      do: "copy"
      /** Index of an input. */
      from: number
      /** Patterns (Go's filepath.Match, `**` with it), rooted in the input; with `parents`, `/./` is where the kept part begins. */
      sources: readonly string[]
      /** Absolute. Ends with `/` where it must be a directory. */
      target: string
      /** `--chown`; undefined: 0:0 from a context, the file's own from a stage or image. */
      chown?: string
      /** `--chmod`: octal or symbolic. */
      chmod?: string
      /** `--parents` */
      parents: boolean
      /** `--exclude` */
      exclude: readonly string[]
      /** ADD of a local tar archive. */
      unpack: boolean
      /** A pattern with wildcards may match nothing; a plain path that is missing is always an error. */
      allowEmpty: boolean
      /** The source directory's own name is kept off: its contents are copied (Dockerfile semantics: always true today). */
      contentsOnly: boolean
    }
  /** WORKDIR: made with its parents where it is missing, owned by 0:0 (or by USER as BuildKit has it). */
  | { do: "mkdir"; path: string; mode: number; owner?: string }
