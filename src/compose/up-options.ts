/** `up` and its relatives `create` and `scale`: what makes containers of a project. The contract's part of it. */
import type { BuildEvent } from "../build/build.ts"
import type { Project } from "./project.ts"
import type { ProjectContainer } from "./project-containers.ts"
import type { ProjectPlan } from "./plan/project-plan.ts"
import type { Recreation } from "./plan/service-plan.ts"
import type { StopOptions } from "./verbs.ts"

/** What shall be there, and how it is made. `timeoutSeconds` is that of containers that are replaced or removed. */
export interface UpOptions extends StopOptions {
  /** Named by the caller: they, and what they depend on. Empty: all. */
  services?: readonly string[] | undefined
  /** The named ones alone. */
  withoutDependencies?: boolean | undefined
  /** By service; goes before what the project says. */
  scale?: Readonly<Record<string, number>> | undefined
  /** Of the named services, all when none is. Default `diverged`. */
  recreate?: Recreation | undefined
  /** Of what they depend on. Default `diverged`. */
  recreateDependencies?: Recreation | undefined
  /** Anonymous volumes are not taken over from containers that are replaced. */
  renewVolumes?: boolean | undefined
  /** False: containers are made, and not started. */
  start?: boolean | undefined
  /** Images of services with a build. Default `missing`. */
  build?: "always" | "missing" | "never" | undefined
  /** In place of each service's own `pull_policy`. */
  pull?: string | undefined
  /** No events of layers. */
  quietPull?: boolean | undefined
  /** Hears of every step of every build; `service` is whose. */
  onBuildEvent?: ((service: string, event: BuildEvent) => void) | undefined
  /** Else they are told of by the plan. */
  removeOrphans?: boolean | undefined
  /** Until containers run, or are healthy where they have a check. */
  wait?: boolean | undefined
  waitTimeoutSeconds?: number | undefined
  /** As compose 1: `_` between the parts of names. */
  compatibility?: boolean | undefined
  /** Asked before data are lost; default no. */
  confirm?: ((question: string) => Promise<boolean>) | undefined
  /** Hears what will be done, before it is; images are there by then. */
  onPlan?: ((plan: ProjectPlan) => void) | undefined
  /** Hears of the containers when all are there, and those that are new have not been started. */
  onCreated?: ((result: UpResult) => void) | undefined
}

/** What is there after it. */
export interface UpResult {
  /** With the named services, and what they depend on, alone. */
  project: Project
  /** Of those services, by name. */
  containers: readonly ProjectContainer[]
}

/** Makes what is there what is wanted. */
export interface ComposeUp {
  /**
   * Images, networks, volumes, containers, in this order; then containers are started, each when the conditions of its dependencies hold.
   * What is as it should be is left alone. All that can be seen to be wrong before is told at once, and nothing is begun then. Killed at any
   * step, the next `up` goes on. Throws InvalidArgument, NotFound, FailedPrecondition, Unsupported, and as images, networks and containers do.
   */
  up(project: Project, options?: UpOptions): Promise<UpResult>
  /** What `up` would do, and why. Changes nothing. Throws as `up` does before it begins. */
  plan(project: Project, options?: UpOptions): Promise<ProjectPlan>
}
