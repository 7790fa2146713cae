import type { Definition } from "./definition.ts"
import { isList, isObject, textOf, type HclValue } from "./hcl/value.ts"
import type { BakePlan } from "./resolve.ts"

/** A row of `--list targets`. */
export interface ListedTarget {
  name: string
  description?: string
  group?: true
}

/** The document of `--print`: what a bake file would take for a template is escaped, so that it can be one again. Pure. */
export function printable({ group, target }: BakePlan): object {
  return { group, target: escaped(target) }
}

function escaped(value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll(/[$%](?=\{)/g, (sign) => sign + sign)
  if (Array.isArray(value)) return value.map(escaped)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, escaped(one)]))
}

/** Targets and groups, by name. */
export function listTargets({ groups, descriptions, targets }: Definition): ListedTarget[] {
  const ofTargets = [...targets].map(([name, { own }]) => withDescription({ name }, own.description))
  const ofGroups = [...groups].map(([name, members]): ListedTarget => ({
    name,
    description: descriptions.get(name) ?? members.join(", "),
    group: true,
  }))
  return [...ofTargets, ...ofGroups].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function withDescription(row: ListedTarget, description: string | undefined): ListedTarget {
  return description === undefined ? row : { ...row, description }
}

/** Of a variable; lists and objects as JSON. */
export function variableText(value: HclValue): string {
  if (value === null) return ""
  return isList(value) || isObject(value) ? JSON.stringify(value) : textOf(value)
}
