import { NotFound } from "../../base/errors.ts"
import { nearest } from "../../base/nearest.ts"
import type { FileReference, Project, Service } from "../project.ts"

/** Leaves the named services and all that they depend on, in place; the others are disabled. Throws NotFound. */
export function selectServices(project: Project, names: readonly string[]): void {
  if (names.length === 0) return
  const wanted = new Set<string>()
  for (const name of names) want(project, name, wanted)
  for (const [name, service] of Object.entries(project.services)) {
    if (wanted.has(name)) dropDependencies(service, wanted)
    else {
      project.disabledServices[name] = service
      delete project.services[name]
    }
  }
}

function want(project: Project, name: string, wanted: Set<string>): void {
  if (wanted.has(name)) return
  const service = Object.hasOwn(project.services, name) ? project.services[name] : undefined
  if (service === undefined) {
    const near = nearest(name, Object.keys(project.services))
    throw new NotFound(`no such service: ${name}`, near === undefined ? {} : { hint: { nearest: near } })
  }
  wanted.add(name)
  for (const [dependency, { required }] of Object.entries(service.depends_on ?? {}))
    if (required || Object.hasOwn(project.services, dependency)) want(project, dependency, wanted)
}

/** Those that are not required and not here. */
function dropDependencies(service: Service, wanted: ReadonlySet<string>): void {
  const { depends_on: all } = service
  if (all === undefined) return
  const kept = Object.fromEntries(Object.entries(all).filter(([name]) => wanted.has(name)))
  if (Object.keys(kept).length > 0) service.depends_on = kept
  else delete service.depends_on
}

/** Drops networks, volumes, secrets, configs and models that no enabled service uses, in place. */
export function dropUnused(project: Project): void {
  const services = Object.values(project.services)
  const used = {
    networks: services.flatMap(({ networks }) => Object.keys(networks ?? {})),
    volumes: services.flatMap(({ volumes = [] }) =>
      volumes.flatMap(({ type, source }) => (type === "volume" && source !== undefined ? [source] : [])),
    ),
    secrets: services.flatMap(({ secrets, build }) => sources(secrets, build?.secrets)),
    configs: services.flatMap(({ configs }) => sources(configs)),
    models: services.flatMap(({ models }) => Object.keys(models ?? {})),
  }
  for (const kind of ["networks", "volumes", "secrets", "configs", "models"] as const)
    (project as Record<typeof kind, Record<string, unknown>>)[kind] = pick(project[kind], new Set(used[kind]))
}

function sources(...lists: (readonly FileReference[] | undefined)[]): string[] {
  return lists.flatMap((list = []) => list.map(({ source }) => source))
}

function pick<T>(all: Readonly<Record<string, T>>, names: ReadonlySet<string>): Record<string, T> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.has(name)))
}
