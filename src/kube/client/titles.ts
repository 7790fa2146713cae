import type { ResourceKind } from "../objects/kinds.ts"

/** Before a name in a table of several kinds: `deployment.apps/`. */
export function resourceTitle({ singular, kind, group }: ResourceKind): string {
  return `${singular || kind.toLowerCase()}${group === "" ? "" : `.${group}`}/`
}

/** As `delete` names one: `deployment.apps "web"`. */
export function deletedTitle({ singular, kind, group }: ResourceKind, name: string): string {
  return `${singular || kind.toLowerCase()}${group === "" ? "" : `.${group}`} "${name}"`
}
