/**
 * A Dockerfile, parsed but not yet expanded: variables stay as written until plan/ knows their values.
 * The language is that of docker/dockerfile:1 (docs.docker.com/reference/dockerfile).
 */

/** Lines of a Dockerfile that an instruction, a vertex or an error is about; 1-based, both included. */
export interface SourceRange {
  start: number
  end: number
}

/** What an error or a name needs to know of where the text came from. */
export interface SourceFile {
  /** As shown: `Dockerfile`, `docker/web.Dockerfile`. */
  name: string
  text: string
}

/** A parsed Dockerfile. Nothing in it is expanded yet. */
export interface Dockerfile extends SourceFile {
  /** `# escape=` */
  escape: "\\" | "`"
  /** `# syntax=`: always one that we are. */
  syntax?: string
  /** `# check=` */
  check: CheckOptions
  /** ARG before the first FROM. */
  args: readonly ArgInstruction[]
  stages: readonly Stage[]
  /** Instructions that a blank line runs through. */
  emptyContinuations: readonly SourceRange[]
}

/** `# check=skip=A,B;error=true;experimental=C`. */
export interface CheckOptions {
  skip: "all" | readonly string[]
  /** Rules that are kept back until asked for. */
  experimental: "all" | readonly string[]
  error: boolean
}

/** A FROM and the instructions up to the next one. */
export interface Stage {
  /** Lower case; undefined without AS. */
  name?: string
  /** What FROM and AS looked like, and the name as written: for checks. */
  written: { from: string; as?: string; name?: string }
  /** `alpine:$VERSION`, `scratch`, the name of another stage: not expanded. */
  base: string
  /** `--platform`, not expanded. */
  platform?: string
  code: string
  source: SourceRange
  comments: readonly string[]
  instructions: readonly Instruction[]
}

interface Common {
  /** As written: `RUN`, `run`. */
  keyword: string
  /** The whole instruction on one line. */
  code: string
  source: SourceRange
  /** The comment lines right above. */
  comments: readonly string[]
}

/** A pair of ENV or LABEL. */
export interface KeyValue {
  key: string
  value: string
  /** `ENV key value`. */
  legacy?: boolean
}

/** The lines after an instruction that a `<<NAME` in it names (Dockerfile reference, here-documents). */
export interface HereDocument {
  name: string
  /** Unquoted: variables in it are expanded (by COPY and ADD; RUN leaves that to the shell). */
  expand: boolean
  /** `<<-`: leading tabs are not part of it. */
  chomp: boolean
  content: string
}

/** RUN, CMD, ENTRYPOINT: words of the JSON form, or one string for the shell. */
export interface CommandLine {
  words: readonly string[]
  shell: boolean
}

/** What ADD and COPY have in common. */
export interface SourcesAndTarget {
  /** Paths, patterns, URLs. */
  sources: readonly string[]
  documents: readonly HereDocument[]
  target: string
  chown: string
  chmod: string
  link: boolean
  exclude: readonly string[]
}

/** HEALTHCHECK, with times as the image's config has them; 0 where none is given. */
export interface HealthCheck {
  test: readonly string[]
  /** Nanoseconds, as the image config has them. */
  interval: number
  timeout: number
  startPeriod: number
  startInterval: number
  retries: number
}

/** ADD: files of the context, URLs, repositories, archives that are unpacked. */
export type AddInstruction = Common &
  SourcesAndTarget & { kind: "add"; keepGitDir?: boolean; checksum: string; unpack?: boolean }
/** ARG: names with a default or none. */
export type ArgInstruction = Common & { kind: "arg"; args: readonly { key: string; value?: string }[] }
/** COPY: files of the context, of a stage or of an image. */
export type CopyInstruction = Common & SourcesAndTarget & { kind: "copy"; from: string; parents: boolean }
/** RUN, with its here-documents and mounts as written. */
export type RunInstruction = Common & {
  kind: "run"
  command: CommandLine
  documents: readonly HereDocument[]
  /** `--mount` as written: variables in them are expanded first. */
  mounts: readonly string[]
  network: "default" | "none" | "host" | undefined
  security: "sandbox" | "insecure"
}

/** Any instruction below a FROM. */
export type Instruction =
  | AddInstruction
  | ArgInstruction
  | CopyInstruction
  | RunInstruction
  | (Common & { kind: "cmd" | "entrypoint"; command: CommandLine })
  | (Common & { kind: "env" | "label"; pairs: readonly KeyValue[] })
  | (Common & { kind: "expose"; ports: readonly string[] })
  | (Common & { kind: "healthcheck"; check: HealthCheck })
  | (Common & { kind: "maintainer" | "user" | "workdir" | "stopsignal"; value: string })
  /** `trigger`: the instruction that a later FROM of this image runs. */
  | (Common & { kind: "onbuild"; trigger: string })
  | (Common & { kind: "shell"; shell: readonly string[] })
  | (Common & { kind: "volume"; volumes: readonly string[] })

/** The instruction of one kind. */
export type InstructionOf<Kind extends Instruction["kind"]> = Instruction & { kind: Kind }

/** More is no Dockerfile that somebody wrote: it is refused before it is parsed. */
export const MAX_DOCKERFILE_BYTES = 4 * 1024 ** 2
