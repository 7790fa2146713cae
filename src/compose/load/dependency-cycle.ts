import type { Project } from "../project.ts"

/** Services that wait for each other, the first once more at the end; undefined where none do. */
export function dependencyCycle({ services }: Pick<Project, "services">): string[] | undefined {
  const done = new Set<string>()
  const visit = (name: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name]
    if (done.has(name)) return undefined
    const below = Object.keys(services[name]?.depends_on ?? {}).toSorted()
    for (const one of below) {
      const cycle = Object.hasOwn(services, one) ? visit(one, [...path, name]) : undefined
      if (cycle) return cycle
    }
    done.add(name)
    return undefined
  }
  for (const name of Object.keys(services).toSorted()) {
    const cycle = visit(name, [])
    if (cycle) return cycle
  }
  return undefined
}
