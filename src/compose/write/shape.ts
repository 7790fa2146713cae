import type { Key } from "../load/keys.ts"
import { project } from "../load/keys/project-keys.ts"
import { keyBelow } from "../load/walk.ts"
import type { Project } from "../project.ts"
import { compareKeys } from "./key-order.ts"
import { Ordered } from "./yaml-tree.ts"

/** What the files say of a project, in the order of writing: paths and environment of the loading are not of it. */
export function writtenProject(source: Project): Record<string, unknown> {
  const { name, services, networks, volumes, secrets, configs, models } = source
  const sections = Object.entries({ networks, volumes, secrets, configs, models })
  const extensions = Object.entries(source).filter(([key]) => key.startsWith("x-"))
  return {
    name,
    services,
    ...Object.fromEntries(sections.filter(([, section]) => Object.keys(section).length > 0)),
    ...Object.fromEntries(extensions),
  }
}

/** A model with its keys in the order of YAML: those of the table, then extensions, sorted. */
export function yamlShape(value: unknown, key: Key = project): unknown {
  if (Array.isArray(value)) {
    if (key.type === "ssh") return value.map((one) => String(one).replace("=", ": "))
    const { items } = key
    return items === undefined || items.type === "text" ? value : value.map((item) => yamlShape(item, items))
  }
  if (typeof value !== "object" || value === null) return key.type === "amount" ? Number(value) : value
  if (key.type === "map")
    return mapValues(value, (name, one) => {
      const below = keyBelow(key, name)
      return below ? yamlShape(one, below) : one
    })
  if (key.type === "envFile") return envFileShape(value)
  return key.type === "struct" || key.type === "ulimit" ? new Ordered(structEntries(value, key)) : value
}

function mapValues(value: object, change: (name: string, one: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, change(name, one)]))
}

function structEntries(value: object, key: Key): [string, unknown][] {
  const known = Object.entries(key.keys ?? {}).flatMap(([name, below]): [string, unknown][] => {
    const one: unknown = (value as Record<string, unknown>)[name]
    return one === undefined ? [] : [[name, yamlShape(one, below)]]
  })
  const extensions = Object.entries(value).filter(([name]) => name.startsWith("x-"))
  return [...known, ...extensions.toSorted(([a], [b]) => compareKeys(a, b))]
}

/** The same for JSON: extensions are left out, some keys are always there, some have another name. */
export function jsonShape(value: unknown, key: Key): unknown {
  if (Array.isArray(value)) {
    const { items } = key
    return items === undefined || items.type === "text" ? value : value.map((item) => jsonShape(item, items))
  }
  if (typeof value !== "object" || value === null) return key.type === "amount" ? Number(value) : value
  if (key.type === "map")
    return mapValues(value, (name, one) => {
      const below = keyBelow(key, name)
      return below ? jsonShape(one, below) : one
    })
  if (key.type === "envFile") return envFileShape(value)
  if (key.type === "ulimit")
    return new Ordered(Object.entries(value).filter(([name, one]) => !name.startsWith("x-") && one !== 0))
  return key.type === "struct" ? new Ordered(jsonEntries(value, key)) : value
}

function jsonEntries(value: object, key: Key): [string, unknown][] {
  return Object.entries(key.keys ?? {}).flatMap(([name, below]): [string, unknown][] => {
    const one: unknown =
      (value as Record<string, unknown>)[name] ?? (below.isAlwaysInJson === true ? emptyOf(below) : undefined)
    return one === undefined ? [] : [[below.jsonName ?? name, jsonShape(one, below)]]
  })
}

function emptyOf({ type }: Key): unknown {
  return type === "struct" ? {} : null
}

/** A file that must be there is its path alone. */
function envFileShape(value: object): unknown {
  const { path, required = true } = value as { path?: string; required?: boolean }
  return required ? path : new Ordered(Object.entries({ path, required }))
}

/** Lists without items of a part that has no types are null in JSON. */
export function withNullLists(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? null : value.map(withNullLists)
  if (typeof value !== "object" || value === null || value instanceof Date) return value
  return mapValues(value, (_, one) => withNullLists(one))
}
