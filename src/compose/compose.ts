/**
 * Compose: several containers described in one file, and what makes the one like the other.
 *
 *   files ─ load/ ─▶ Project ─ plan/ ─▶ what differs ─ run/ ─▶ images, networks, volumes, containers
 *
 * Loading (load/, one file a phase) makes a Project of files and environment, as docker compose 2.40 does. Nothing of a project is kept but
 * the labels of what was made for it (labels.ts), which are docker's: who manages it is free to change. Every verb compares the project with
 * what is there and does what is missing, so that an interrupted one is finished by the next. Two verbs that change one project take turns by a lock.
 */
import type { BuildWarning } from "../build/build.ts"
import type { BuildChoices } from "./build/build-options.ts"
import type { BuildServicesOptions } from "./build/build-services.ts"
import type { PullServicesOptions } from "./build/pull-services.ts"
import type { PushServicesOptions } from "./build/push-services.ts"
import type { LoadedProject, LoadRequest } from "./load/load.ts"
import type { Project } from "./project.ts"
import type { PublishOptions } from "./publish/publish-options.ts"
import type { ComposeRendering } from "./rendering.ts"
import type { WatchOptions } from "./watch-options.ts"
import type { ComposeUp } from "./up-options.ts"
import type { ComposeRun } from "./run-options.ts"
import type { ComposeVerbs } from "./verbs.ts"

export type { BuildEvent } from "../build/build.ts"
export type { LoadedProject, LoadRequest, LoadWarning } from "./load/load.ts"
export type { ComposeEvent, ComposeState, OnComposeEvent } from "./compose-event.ts"
export type { BuildChoices } from "./build/build-options.ts"
export type { BuildServicesOptions } from "./build/build-services.ts"
export type { PullServicesOptions } from "./build/pull-services.ts"
export type { PushServicesOptions } from "./build/push-services.ts"
export { selectServices } from "./dependency-order.ts"
export { COMPOSE_VERSION, LABEL } from "./labels.ts"
export { checkProjectName } from "./project-name.ts"
export type { PublishOptions } from "./publish/publish-options.ts"
export type { WatchOptions } from "./watch-options.ts"
export type { Project, Service } from "./project.ts"
export type { ProjectPlan } from "./plan/project-plan.ts"
export { sayReason, type Reason } from "./plan/reason.ts"
export type {
  ComposeRendering,
  ExplainedVariable,
  LoadedModel,
  ModelFormat,
  ModelVariable,
  VariableSource,
} from "./rendering.ts"
export type { ResourceStep } from "./plan/resource-plan.ts"
export type { Recreation, ServicePlan, Step } from "./plan/service-plan.ts"
export type { ComposeUp, UpOptions, UpResult } from "./up-options.ts"
export { asProjectContainer, projectContainers, type ProjectContainer } from "./project-containers.ts"
export type { ComposeRun, OneOff, RunOptions, RunRequest } from "./run-options.ts"
export type {
  ChooseOptions,
  ComposeVerbs,
  DownOptions,
  KillOptions,
  OnHookLine,
  RemoveOptions,
  RestartOptions,
  StartOptions,
  StopOptions,
  Target,
  VerbOptions,
} from "./verbs.ts"

/** What compose can do with the containers, networks and volumes of one store. */
export interface Compose extends ComposeVerbs, ComposeRun, ComposeUp, ComposeRendering {
  /** Reads and checks the files. Throws InvalidArgument with file, line and column in `data.origin`; NotFound without a file. */
  load(request: LoadRequest): Promise<LoadedProject>
  /** What its containers, networks and volumes tell of a project by their labels; without services where there are none of it. */
  fromContainers(name: string): Promise<Project>
  /**
   * Builds these services' images (none named: all that have a `build`), what they need first. Gives ids by service. Throws NotFound, and as
   * `Builds.build`; what was built by then stays.
   */
  build(project: Project, names: readonly string[], options?: BuildServicesOptions): Promise<Map<string, string>>
  /** What linting finds in their Dockerfiles, by service. Throws as `build`. */
  check(project: Project, names: readonly string[], choices?: BuildChoices): Promise<Map<string, BuildWarning[]>>
  /** What `buildx bake` would be given for the same. */
  bakeFile(project: Project, names: readonly string[], choices?: BuildChoices): Promise<object>
  /** Fetches the images of all services of `project`, each once; `mustBuild`: those that cannot be fetched and can be built. Throws as `Images.pull`. */
  pull(project: Project, options?: PullServicesOptions): Promise<{ mustBuild: string[] }>
  /** Sends the images of services that are built and named. Throws as `Images.push`. */
  push(project: Project, options?: PushServicesOptions): Promise<void>
  /**
   * Sends the project's files to a registry, as docker compose does, once the images that it builds are pushed: `oci://REFERENCE` loads it.
   * `project`: of all profiles, its env files not resolved. False: a question was answered with no, and nothing was sent. Throws InvalidArgument
   * for what cannot be published, PermissionDenied, Unavailable.
   */
  publish(project: Project, reference: string, options: PublishOptions): Promise<boolean>
  /**
   * Watches files until it is aborted: first all that differs comes into the containers, then each change as `develop.watch` says; again
   * after a container was started anew, and when the kernel may have lost changes. Throws FailedPrecondition where there is nothing to watch.
   */
  watch(project: Project, options: WatchOptions): Promise<void>
}
