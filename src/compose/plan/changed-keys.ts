import type { Service } from "../project.ts"

/** What the hash leaves out: it says how a container comes to be, not what it is (facts: docker compose 2.40, pkg/compose/hash.go). */
const LEFT_OUT = new Set(["build", "pull_policy", "scale", "depends_on", "profiles"])
/** Their values may be passwords. */
const HIDDEN = /^(?:environment|labels|annotations)\b/
const LONGEST_VALUE = 60

/** A service as a container keeps it, to name later what changed: its keys in order, those that only say how it comes to be left out. */
export function comparableService(service: Service): string {
  const { replicas: _, ...deploy } = service.deploy ?? {}
  const kept = Object.entries({ ...service, deploy: Object.keys(deploy).length > 0 ? deploy : undefined })
  return JSON.stringify(sorted(Object.fromEntries(kept.filter(([key]) => !LEFT_OUT.has(key)))))
}

/** One key of two services that differs, by its path; values that may be told. */
export interface ChangedKey {
  key: string
  before?: string
  after?: string
}

/** All keys in which two texts of `comparableService` differ, in order. Undefined: one of them is none. Pure. */
export function changedKeys(before: string, after: string): ChangedKey[] | undefined {
  try {
    return differences(JSON.parse(before), JSON.parse(after), "")
  } catch {
    return undefined
  }
}

function differences(before: unknown, after: unknown, path: string): ChangedKey[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return []
  const [was, is] = [isMap(after) ? (before ?? {}) : before, isMap(before) ? (after ?? {}) : after]
  if (!isMap(was) || !isMap(is)) return [{ key: path, ...shown(path, before, after) }]
  const keys = [...new Set([...Object.keys(was), ...Object.keys(is)])].toSorted()
  const found = keys.flatMap((key) => differences(was[key], is[key], path === "" ? key : `${path}.${key}`))
  // an empty mapping came or went
  return found.length > 0 ? found : [{ key: path, ...shown(path, before, after) }]
}

function shown(path: string, before: unknown, after: unknown): Omit<ChangedKey, "key"> {
  if (HIDDEN.test(path)) return {}
  const [was, is] = [textOf(before), textOf(after)]
  return { ...(was !== undefined && { before: was }), ...(is !== undefined && { after: is }) }
}

function textOf(value: unknown): string | undefined {
  if (value === undefined) return undefined
  const json = typeof value === "string" ? value : JSON.stringify(value)
  return json.length > LONGEST_VALUE ? `${json.slice(0, LONGEST_VALUE)}…` : json
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isMap(value)) return value
  return Object.fromEntries(
    Object.keys(value)
      .toSorted()
      .map((key) => [key, sorted(value[key])]),
  )
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
