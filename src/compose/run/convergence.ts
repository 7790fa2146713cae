import { crashPoint } from "../../base/crash-point.ts"
import type { Containers, ContainerOptions } from "../../container/container.ts"
import type { PlanInput } from "../plan/project-plan.ts"
import { referred, wantedOf } from "../plan/project-plan.ts"
import { ANNOTATION } from "../plan/divergence.ts"
import type { Step } from "../plan/service-plan.ts"
import { nameInProject, asProjectContainer, type ProjectContainer } from "../project-containers.ts"
import type { Project } from "../project.ts"
import { fileOptions } from "../service/file-objects.ts"
import type { InheritedVolumes } from "../service/mounts.ts"
import { containerName } from "../service/names.ts"
import type { ServiceContext } from "../service/service-context.ts"
import { serviceOptions } from "../service/service-options.ts"
import type { UpOptions } from "../up-options.ts"
import { act, subjectOf } from "./act.ts"
import { stopContainer, unlessGone } from "./stop.ts"
import { anonymousVolumes, hasOwnAddress } from "./taken-over.ts"

/** What a convergence works on. */
export interface ConvergenceInput extends Pick<PlanInput, "networks" | "volumes" | "imageId" | "separator"> {
  containers: Containers
  project: Project
  /** Of the project. */
  found: readonly ProjectContainer[]
  options: UpOptions
  warn(message: string): void
}

/** Containers as they come to be: each step is safe to be killed in, and what was made is there for the next. */
export class Convergence {
  readonly #input: ConvergenceInput
  /** By id; without one-offs. */
  readonly #current: Map<string, ProjectContainer>
  readonly #contexts = new Map<string, ServiceContext>()

  constructor(input: ConvergenceInput) {
    this.#input = input
    this.#current = new Map(input.found.filter(({ isOneOff }) => !isOneOff).map((one) => [one.container.id, one]))
  }

  /** Of a service, by number. */
  containersOf(service: string): ProjectContainer[] {
    return [...this.#current.values()].filter((one) => one.service === service).toSorted((a, b) => a.number - b.number)
  }

  /** Makes one step of a plan true, but for its start. */
  async take(service: string, step: Step): Promise<void> {
    switch (step.action) {
      case "keep":
        return this.#tell(step.container, "Running")
      case "start":
        return
      case "restart":
        return stopContainer(this.#input, step.container, this.#input.options)
      case "create":
        return this.#create(service, step.number)
      case "remove":
        return this.remove(step.container)
      case "finish":
        return this.#finish(step.container, step.replaced)
      case "recreate":
        return this.#recreate(service, step.number, step.container)
    }
  }

  /** Stops and removes it. */
  async remove(one: ProjectContainer): Promise<void> {
    const { options } = this.#input
    await stopContainer(this.#input, one, options)
    await act(options, subjectOf(one), ["Removing", "Removed"], () => this.#removeNow(one))
    this.#current.delete(one.container.id)
  }

  async #create(service: string, number: number): Promise<void> {
    const { options, containers } = this.#input
    const context = this.context(service)
    const subject = { kind: "container", name: containerName(context, number) } as const
    await act(options, subject, ["Creating", "Created"], async () => {
      this.#add(await containers.create(this.optionsOf(context, { number }), undefined, { abort: options.signal }))
      crashPoint("compose:created")
    })
  }

  /**
   * The new one is made first, under a name of its own; then the old one goes, and gives its name. Who is killed in between leaves both, or
   * the new one with the wrong name, which the next `up` sees (plan/service-plan.ts).
   */
  async #recreate(service: string, number: number, old: ProjectContainer): Promise<void> {
    const { options } = this.#input
    await act(options, subjectOf(old), ["Recreate", "Recreated"], async () => {
      // an address that the file fixes is one container's: the old one gives it up first
      if (hasOwnAddress(this.context(service).service)) await this.#freeAddresses(old)
      const created = await this.createReplacement(service, number, old)
      await this.replace(old, created)
    })
  }

  /** Made, and not started. */
  async createReplacement(service: string, number: number, old: ProjectContainer): Promise<ProjectContainer> {
    const { options, containers } = this.#input
    const context = this.context(service)
    const { id } = old.container
    const made = this.optionsOf(context, {
      number,
      name: `${id.slice(0, TEMPORARY_DIGITS)}_${containerName(context, number)}`,
      replaces: nameInProject(old),
      inherited: options.renewVolumes === true ? new Map() : await anonymousVolumes(containers, old),
    })
    const created = this.#add(await containers.create(made, undefined, { abort: options.signal }))
    crashPoint("compose:replacement-created")
    return created
  }

  /** The old one goes, the new one gets its name. */
  async replace(old: ProjectContainer, created: ProjectContainer): Promise<void> {
    const { options, containers } = this.#input
    const given = options.timeoutSeconds === undefined ? {} : { timeoutSeconds: options.timeoutSeconds }
    await unlessGone(() => containers.stop(old.container.id, { ...given, abort: options.signal }))
    crashPoint("compose:replaced-stopped")
    await this.#removeNow(old)
    this.#current.delete(old.container.id)
    crashPoint("compose:replaced-removed")
    await this.#rename(created)
  }

  /** A replacement that was interrupted goes on. */
  async #finish(created: ProjectContainer, replaced: ProjectContainer | undefined): Promise<void> {
    const subject = { kind: "container", name: finalName(created) } as const
    await act(this.#input.options, subject, ["Recreate", "Recreated"], async () => {
      if (replaced) await this.replace(replaced, created)
      else await this.#rename(created)
    })
  }

  async #rename({ container: { id } }: ProjectContainer): Promise<void> {
    const { containers } = this.#input
    const one = asProjectContainer(containers.get(id))
    await containers.rename(id, finalName(one))
    this.#add(containers.get(id))
  }

  async #removeNow({ container: { id } }: ProjectContainer): Promise<void> {
    const { options, containers } = this.#input
    await unlessGone(() => containers.remove(id, { force: true, abort: options.signal }))
  }

  async #freeAddresses({ container }: ProjectContainer): Promise<void> {
    const { options, containers } = this.#input
    const given = options.timeoutSeconds === undefined ? {} : { timeoutSeconds: options.timeoutSeconds }
    await unlessGone(() => containers.stop(container.id, { ...given, abort: options.signal }))
    for (const { network, address, address6 } of container.attachments)
      if (address !== undefined || address6 !== undefined)
        await unlessGone(() => containers.disconnect(container.id, network, { force: true, abort: options.signal }))
  }

  /** With the containers of other services as they are now. */
  context(service: string): ServiceContext {
    const known = this.#contexts.get(service)
    if (known) return known
    const { project, separator, warn } = this.#input
    const context: ServiceContext = {
      project,
      key: service,
      service: project.services[service] ?? {},
      separator,
      containersOf: (name) => this.containersOf(name).map(referred),
      warn,
    }
    this.#contexts.set(service, context)
    return context
  }

  /** What one container of it is created with. */
  optionsOf(
    context: ServiceContext,
    own: { number: number; name?: string; replaces?: string; inherited?: InheritedVolumes },
  ): ContainerOptions {
    const wanted = wantedOf(context, this.#input)
    const files = fileOptions(context)
    const made = serviceOptions(
      { ...context, service: wanted.service },
      { ...own, configHash: wanted.configHash, imageId: wanted.imageId ?? "", files },
    )
    const annotations = {
      ...made.annotations,
      [ANNOTATION.service]: wanted.comparable,
      ...(wanted.filesDigest !== "" && { [ANNOTATION.files]: wanted.filesDigest }),
    }
    return { ...made, annotations }
  }

  #add(container: Parameters<typeof asProjectContainer>[0]): ProjectContainer {
    const one = asProjectContainer(container)
    this.#current.set(container.id, one)
    return one
  }

  #tell(one: ProjectContainer, state: "Running"): void {
    this.#input.options.onEvent?.({ ...subjectOf(one), state })
  }
}

const TEMPORARY_DIGITS = 12

function finalName({ container }: ProjectContainer): string {
  return container.name.replace(/^[0-9a-f]{12}_/, "")
}
