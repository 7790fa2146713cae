import type { BuildEvent } from "../../build/build.ts"
import { NotFound } from "../../base/errors.ts"
import type { OnComposeEvent } from "../compose-event.ts"
import { inDependencyOrder } from "../dependency-order.ts"
import type { ComposeDeps } from "../deps.ts"
import { imageName } from "../service/names.ts"
import type { Project, Service } from "../project.ts"
import { buildDependencies } from "./build-order.ts"
import { serviceBuild, type BuildChoices } from "./build-options.ts"

/** How services are built. */
export interface BuildServicesOptions extends BuildChoices {
  /** At once; default all that may. */
  limit?: number | undefined
  signal?: AbortSignal | undefined
  isDryRun?: boolean
  onEvent?: OnComposeEvent
  /** Hears of every step of every build; `service` is whose. */
  onBuildEvent?: (service: string, event: BuildEvent) => void
}

/**
 * Builds these services (all that have a `build`, where none is named) and those whose images their builds need; independent ones at once, each step that two share
 * once. Gives the image's id by service. Throws NotFound for a service that is not there, and as `Builds.build`: no other is begun then.
 */
export async function buildServices(
  deps: Pick<ComposeDeps, "builds">,
  project: Project,
  names: readonly string[],
  options: BuildServicesOptions = {},
): Promise<Map<string, string>> {
  const { separator = "-" } = options
  const chosen = buildable(project, names, separator)
  const onEvent = options.onEvent ?? (() => {})
  const built = new Map<string, string>()
  await inDependencyOrder(
    chosen,
    async (name) => {
      const service = project.services[name]
      if (!service) return
      const image = imageName({ project, key: name, service, separator })
      onEvent({ kind: "service", name: image, state: "Building" })
      if (options.isDryRun !== true) built.set(name, await buildOne(deps, project, name, service, options))
      onEvent({ kind: "service", name: image, state: "Built" })
    },
    { limit: options.limit, signal: options.signal },
  )
  return built
}

async function buildOne(
  deps: Pick<ComposeDeps, "builds">,
  project: Project,
  name: string,
  service: Service,
  options: BuildServicesOptions,
): Promise<string> {
  const builds = await deps.builds()
  const request = serviceBuild(project, name, service, options)
  const { images, digest } = await builds.build(
    { ...request, ...(options.signal ? { signal: options.signal } : {}) },
    (event) => options.onBuildEvent?.(name, event),
  )
  return images[0]?.id ?? digest ?? ""
}

/** Services to build by name, with `depends_on` as their builds need each other. */
function buildable(project: Project, names: readonly string[], separator: "-" | "_"): Record<string, Service> {
  const wanted = new Set<string>()
  const add = (name: string) => {
    if (!project.services[name]?.build || wanted.has(name)) return
    wanted.add(name)
    for (const other of buildDependencies(project, name, separator)) add(other)
  }
  for (const name of names)
    if (!Object.hasOwn(project.services, name))
      throw new NotFound(`no such service: ${name}`, { hint: { valid: Object.keys(project.services).toSorted() } })
  for (const name of names.length > 0 ? names : Object.keys(project.services)) add(name)
  return Object.fromEntries(
    [...wanted].map((name): [string, Service] => [
      name,
      {
        depends_on: Object.fromEntries(
          buildDependencies(project, name, separator).map((other) => [
            other,
            { condition: "service_started", required: true },
          ]),
        ),
      },
    ]),
  )
}
