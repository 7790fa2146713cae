/** Verbs on what is there: what `up` has made is started, stopped, taken away. The contract's part of it. */
import type { Cancellable } from "../base/cancel.ts"
import type { OnComposeEvent } from "./compose-event.ts"
import type { ProjectContainer } from "./project-containers.ts"
import type { Project } from "./project.ts"

/** Which project, and what of it. */
export interface Target {
  name: string
  /** Of the files. Undefined: what the labels of its containers tell. */
  project?: Project | undefined
  /** Empty: all. */
  services?: readonly string[]
}

/** How a verb goes about it. */
export interface VerbOptions extends Cancellable {
  onEvent?: OnComposeEvent | undefined
  /** Hears what hooks write. */
  onHookLine?: OnHookLine | undefined
  /** Events come as if it were done, and nothing is changed. */
  dryRun?: boolean | undefined
  /** How many containers at once; default all that may. */
  limit?: number | undefined
}

/** One line of a hook's output, without its newline; `source` is the container without its project: `web-1`. */
export type OnHookLine = (line: { source: string; service: string; text: string }) => void

/** How containers are stopped. */
export interface StopOptions extends VerbOptions {
  /** Default: each container's own. Infinity: they are never killed. */
  timeoutSeconds?: number | undefined
}

/** How containers are started. */
export interface StartOptions extends VerbOptions {
  /** Until they run, or are healthy where they have a check. */
  wait?: boolean | undefined
  /** Of dependencies and of `wait`. */
  waitTimeoutSeconds?: number | undefined
}

export interface RestartOptions extends StopOptions {
  /** The named ones alone, without those that are to be restarted along. */
  withoutDependents?: boolean | undefined
}

export interface KillOptions extends VerbOptions {
  signal?: AbortSignal
  /** Default SIGKILL. */
  killSignal?: string | undefined
  /** Containers of services that the project does not have, too. */
  orphans?: boolean | undefined
}

export interface DownOptions extends StopOptions {
  /** Containers of services that the project does not have, and one-offs. */
  removeOrphans?: boolean | undefined
  /** Named ones of the project and anonymous ones of its containers. */
  volumes?: boolean | undefined
  /** `local`: that were built for it; `all`: that its services name, too. */
  images?: "local" | "all" | undefined
}

export interface RemoveOptions extends VerbOptions {
  /** Anonymous ones of the containers. */
  volumes?: boolean | undefined
}

/** Which container of a service is meant. */
export interface ChooseOptions {
  /** Undefined: the one of the lowest number; one-offs only where there is no other. */
  index?: number | undefined
  /** Also one that does not run. */
  all?: boolean | undefined
  oneOffs?: boolean | undefined
}

/**
 * All throw NotFound (`no such service: x`) for a name that the project does not have, before anything is changed; where it is known by its
 * containers alone, those that need no container of it only warn. Whatever fails, what was begun is waited for; a killed one is finished by doing it again. Verbs that change a project's structure take turns.
 */
export interface ComposeVerbs {
  /** Dependencies first, each when its condition holds. Running ones are left alone. Throws NotFound where there is nothing to start. */
  start(target: Target, options?: StartOptions): Promise<void>
  /** Dependents first. Hooks run before; one that fails ends it. */
  stop(target: Target, options?: StopOptions): Promise<void>
  restart(target: Target, options?: RestartOptions): Promise<void>
  /** False: there was none to kill. */
  kill(target: Target, options?: KillOptions): Promise<boolean>
  pause(target: Target, options?: VerbOptions): Promise<void>
  unpause(target: Target, options?: VerbOptions): Promise<void>
  /** Of the services, those that do not run and are no one-offs: what `remove` may take. */
  removable(target: Target): Promise<ProjectContainer[]>
  /** Removes these; safe to repeat. */
  remove(name: string, containers: readonly ProjectContainer[], options?: RemoveOptions): Promise<void>
  /**
   * Stops and removes containers, then networks and what else is asked for. What is in use stays, with an event. False: there was nothing
   * to remove. Safe to repeat.
   */
  down(target: Target, options?: DownOptions): Promise<boolean>
  /** Throws NotFound where no container fits. */
  container(name: string, service: string, options?: ChooseOptions): Promise<ProjectContainer>
  /** Containers of services, one-offs only when asked for, by number. */
  containersOf(
    name: string,
    services: readonly string[],
    options?: Omit<ChooseOptions, "index">,
  ): Promise<ProjectContainer[]>
}
