import type { ContainerRecord } from "./record.ts"

/** Names and ids of the containers that one stands on: those whose namespaces it joins, those that it requires. */
export function dependencies({ spec }: Pick<ContainerRecord, "spec">): string[] {
  const { network, requires = [] } = spec.options
  return [...(network.kind === "container" ? [network.container] : []), ...requires]
}

/**
 * `ids`, each after all that stand on it, directly or by others: an order in which all may be removed. `find` gives a record by name
 * or id. Pure but for it.
 */
export function withDependents(
  ids: readonly string[],
  records: readonly ContainerRecord[],
  find: (nameOrId: string) => ContainerRecord | undefined,
): string[] {
  const standingOn = new Map<string, string[]>()
  for (const record of records)
    for (const name of dependencies(record)) {
      const base = find(name)?.id
      if (base !== undefined) standingOn.set(base, [...(standingOn.get(base) ?? []), record.id])
    }
  const ordered = new Set<string>()
  const visiting = new Set<string>()
  const visit = (id: string): void => {
    if (ordered.has(id) || visiting.has(id)) return
    visiting.add(id)
    for (const dependent of standingOn.get(id) ?? []) visit(dependent)
    ordered.add(id)
  }
  for (const id of ids) visit(id)
  return [...ordered]
}
