import { throwIfAborted } from "../base/cancel.ts"
import { isSkiffError, NotFound } from "../base/errors.ts"
import type { Project, Service } from "./project.ts"

type Services = Readonly<Record<string, Service>>

/** How services are gone through. */
export interface OrderOptions {
  /** Those that depend on others come before these. */
  reverse?: boolean
  /** How many at once; default all that may. */
  limit?: number | undefined
  signal?: AbortSignal | undefined
}

/**
 * Calls `visit` for each service as soon as all are done that it depends on (`reverse`: that depend on it), independent ones at the same
 * time. After a failure no other is begun; those that were are waited for, then the first failure is thrown. A circle, which only labels
 * can hold, is broken at its first service by name.
 */
export async function inDependencyOrder(
  services: Services,
  visit: (name: string, service: Service) => Promise<void>,
  { reverse = false, limit = Infinity, signal }: OrderOptions = {},
): Promise<void> {
  const waiting = predecessors(services, reverse)
  const running = new Map<string, Promise<string>>()
  const failures: unknown[] = []
  const begin = (name: string, service: Service) => {
    waiting.delete(name)
    const done = visit(name, service).then(
      () => name,
      (error: unknown) => {
        failures.push(error)
        return name
      },
    )
    running.set(name, done)
  }
  while (waiting.size > 0 || running.size > 0) {
    if (failures.length === 0 && signal?.aborted !== true) beginReady(services, waiting, running, limit, begin)
    if (running.size === 0) break
    const name = await Promise.race(running.values())
    running.delete(name)
    for (const before of waiting.values()) before.delete(name)
  }
  // what the failure of one made of another's wait says less than the failure itself
  const first = failures.find((error) => !isSkiffError(error, "Cancelled")) ?? failures[0]
  if (failures.length > 0) throw first
  throwIfAborted(signal, "going through the services")
}

function beginReady(
  services: Services,
  waiting: Map<string, Set<string>>,
  running: ReadonlyMap<string, unknown>,
  limit: number,
  begin: (name: string, service: Service) => void,
): void {
  const ready = [...waiting].filter(([, before]) => before.size === 0).map(([name]) => name)
  const chosen = ready.length === 0 && running.size === 0 ? [...waiting.keys()].slice(0, 1) : ready
  for (const name of chosen.slice(0, Math.max(0, limit - running.size))) {
    const service = services[name]
    if (service) begin(name, service)
  }
}

/** For each service, by name, those that come before it. */
function predecessors(services: Services, reverse: boolean): Map<string, Set<string>> {
  const before = new Map(
    Object.keys(services)
      .toSorted()
      .map((name) => [name, new Set<string>()]),
  )
  for (const [name, { depends_on = {} }] of Object.entries(services))
    for (const dependency of Object.keys(depends_on)) {
      if (dependency === name || !before.has(dependency)) continue
      if (reverse) before.get(dependency)?.add(name)
      else before.get(name)?.add(dependency)
    }
  return before
}

/** What comes along with services that are named. */
export type Along = "dependencies" | "dependents" | "nothing"

/** The project with these services alone, and what comes along; all of it when none is named. Throws NotFound, in docker's words. */
export function selectServices(project: Project, names: readonly string[], along: Along): Project {
  if (names.length === 0) return project
  checkServices(project, names)
  const kept = new Set<string>()
  const queue = [...names]
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    if (kept.has(name)) continue
    kept.add(name)
    if (along === "dependencies") queue.push(...Object.keys(project.services[name]?.depends_on ?? {}))
    if (along === "dependents") queue.push(...dependentsOf(project, name))
  }
  const [services, others] = [true, false].map((isKept) =>
    Object.fromEntries(Object.entries(project.services).filter(([name]) => kept.has(name) === isKept)),
  )
  // those that are left out are still the project's: their containers are no orphans
  return { ...project, services: services ?? {}, disabledServices: { ...project.disabledServices, ...others } }
}

/** Services that depend on this one themselves. */
export function dependentsOf(project: Project, name: string): string[] {
  return Object.entries(project.services).flatMap(([other, { depends_on = {} }]) =>
    Object.hasOwn(depends_on, name) ? [other] : [],
  )
}

/** Throws NotFound, in docker's words, for the first that the project does not have. */
export function checkServices(project: Project, names: readonly string[]): void {
  for (const name of names)
    if (!Object.hasOwn(project.services, name))
      throw new NotFound(`no such service: ${name}`, {
        hint: { valid: Object.keys(project.services).toSorted() },
        data: { service: name },
      })
}
