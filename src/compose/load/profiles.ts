import type { Project, Service } from "../project.ts"
import type { Environment } from "./environment.ts"
import type { LoadRequest } from "./request.ts"

/** Of the call, else of `COMPOSE_PROFILES`. */
export function activeProfiles(request: LoadRequest, environment: Environment): string[] {
  if (request.profiles.length > 0) return [...request.profiles]
  return (environment.COMPOSE_PROFILES ?? "").split(",").flatMap((profile) => profile.trim() || [])
}

/** Enables the services that have no profile or an active one, in place; `*`: all. */
export function applyProfiles(project: Project, profiles: readonly string[]): void {
  const all = { ...project.disabledServices, ...project.services }
  project.services = {}
  project.disabledServices = {}
  for (const [name, service] of Object.entries(all))
    (isActive(service, profiles) ? project.services : project.disabledServices)[name] = service
  project.profiles = [...new Set(profiles)]
}

function isActive({ profiles: own = [] }: Service, active: readonly string[]): boolean {
  return own.length === 0 || active.includes("*") || own.some((profile) => active.includes(profile))
}

/** Enables services that are named, with all that their profiles make active, in place. */
export function enableNamed(project: Project, names: readonly string[]): void {
  const added = names.flatMap((name) => project.disabledServices[name]?.profiles ?? [])
  if (added.length > 0) applyProfiles(project, [...project.profiles, ...added])
}
