import type { ResourceKind } from "./kinds.ts"
import type { StoredObject } from "./objects.ts"

interface DefinitionSpec {
  group: string
  scope: "Namespaced" | "Cluster"
  names: { kind: string; plural: string; singular?: string; shortNames?: string[]; categories?: string[] }
  versions: { name: string; served: boolean; storage: boolean; subresources?: { status?: object; scale?: object } }[]
}

/** The kind that a CustomResourceDefinition makes. Pure. */
export function customKind({ spec }: StoredObject): ResourceKind {
  const { group, scope, names, versions } = spec as DefinitionSpec
  const stored = versions.find(({ storage }) => storage) ?? versions[0]
  return {
    group,
    version: stored?.name ?? "v1",
    otherVersions: versions.filter((one) => one.served && one !== stored).map(({ name }) => name),
    kind: names.kind,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    namespaced: scope === "Namespaced",
    ...(names.categories && { categories: names.categories }),
    hasStatus: stored?.subresources?.status !== undefined,
    hasScale: stored?.subresources?.scale !== undefined,
    isCustom: true,
  }
}
