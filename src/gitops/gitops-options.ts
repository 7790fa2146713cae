import type { KubeClient } from "../kube/kube.ts"

/** Label of every object that is kept: the name of who keeps it. */
export const NAME_LABEL = "skiff.dev/gitops"
/** Annotation: the commit that was applied. */
export const REVISION_ANNOTATION = "skiff.dev/gitops-revision"
/** Annotation: `disabled` for what stays when it has left the repository. */
export const PRUNE_ANNOTATION = "skiff.dev/gitops-prune"

/** What is kept, and where. */
export interface GitopsOptions {
  client: KubeClient
  /** An address, or a directory of this host as an absolute path. */
  repository: string
  /** Undefined: what the repository's HEAD names. */
  branch: string | undefined
  /** In the repository; empty: all of it. */
  path: string
  /** Of objects that name none. Undefined: the client's. */
  namespace: string | undefined
  /** Undefined: made of repository and path. */
  name: string | undefined
  intervalMs: number
  /** An exported keyring (GPG), or a list of allowed signers (ssh-keygen(1)); a commit has to be signed by one of them. */
  signers: string | undefined
  /** Where what was fetched lies, for the next time. */
  directory: string
  /** One pass, then it ends. */
  isOnce: boolean
  signal: AbortSignal
  /** Hears of what happened. */
  report(event: GitopsEvent): void
}

/** Something that happened. */
export interface GitopsEvent {
  /** RFC 3339. */
  time: string
  reason: "Applied" | "DriftCorrected" | "BrokenCommit" | "ApplyFailed" | "RepositoryUnreachable" | "PruneFailed"
  type: "Normal" | "Warning"
  message: string
  commit?: string
}

/** A commit, for people. */
export interface CommitInfo {
  commit: string
  subject: string
  author: string
  /** RFC 3339. */
  time: string
}

/** How it stands. */
export interface GitopsStatus {
  name: string
  repository: string
  branch: string
  path: string
  /** The server, or this machine. */
  target: string
  state: "starting" | "synced" | "broken" | "failed" | "unreachable"
  /** What is wrong, while something is. */
  message?: string
  head?: CommitInfo
  applied?: { commit: string; time: string }
  lastPass?: string
  driftCorrected: number
  objects: { title: string; namespace: string; time: string }[]
  /** The newest first. */
  events: GitopsEvent[]
}
