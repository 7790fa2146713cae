/** `run`: a one-off container of a service, with words of its own. The contract's part of it. */
import type { Container } from "../container/container.ts"
import type { ProjectContainer } from "./project-containers.ts"
import type { Hook, Project } from "./project.ts"
import type { UpOptions } from "./up-options.ts"
import type { VerbOptions } from "./verbs.ts"

/** In what a one-off differs from its service; what is left out is the service's. */
export interface RunRequest {
  service: string
  /** Words that run. */
  command?: readonly string[] | undefined
  /** A line of words, quoted as in a shell. Clears the service's command, too. */
  entrypoint?: string | undefined
  /** `NAME=VALUE`; `NAME` alone takes the project's value, where it has one. */
  env?: readonly string[] | undefined
  /** Paths; the first that names a variable counts, after `env`. */
  envFiles?: readonly string[] | undefined
  /** Default: `P-S-run-` and 12 digits. */
  name?: string | undefined
  user?: string | undefined
  workdir?: string | undefined
  labels?: Readonly<Record<string, string>> | undefined
  /** In short form, beside the service's. */
  volumes?: readonly string[] | undefined
  /** In short form, in the place of the service's, which are not published else. */
  ports?: readonly string[] | undefined
  servicePorts?: boolean | undefined
  /** It is known by the service's names on its networks, too. */
  useAliases?: boolean | undefined
  capAdd?: readonly string[] | undefined
  capDrop?: readonly string[] | undefined
  tty?: boolean | undefined
  stdin?: boolean | undefined
  /** It goes with its end. */
  autoRemove?: boolean | undefined
}

/** How it is made. */
export interface RunOptions extends VerbOptions {
  /** Nothing that it depends on is started. */
  withoutDependencies?: boolean | undefined
  /** The images of the service and of what it depends on are built first. */
  build?: boolean | undefined
  /** In place of each service's own `pull_policy`. */
  pull?: string | undefined
  quietPull?: boolean | undefined
  /** As of `UpOptions`. */
  onBuildEvent?: UpOptions["onBuildEvent"]
  /** Else `onOrphans` hears of them. */
  removeOrphans?: boolean | undefined
  onOrphans?: ((orphans: readonly ProjectContainer[]) => void) | undefined
  compatibility?: boolean | undefined
}

/** What was made; it does not run yet. */
export interface OneOff {
  /** Undefined in a dry run. */
  container: Container | undefined
  /** To be run once it runs (`Compose.postStart`). */
  postStart: readonly Hook[]
}

export interface ComposeRun {
  /**
   * Starts what the service depends on, makes images, networks and volumes that it needs, waits for its conditions, and makes the
   * container. Throws as `up`, and InvalidArgument for what the request has wrong.
   */
  createOneOff(project: Project, request: RunRequest, options?: RunOptions): Promise<OneOff>
  /** Runs the hooks of one that runs. Throws FailedPrecondition for the first that fails. */
  postStart(container: Container, hooks: readonly Hook[], options?: VerbOptions): Promise<void>
}
