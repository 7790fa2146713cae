import { isTree, listAt, type Tree } from "../../field.ts"
import type { Definition, FieldType } from "../schema/schema.ts"
import { statusError } from "../status.ts"
import { canonical } from "../validate/pod.ts"
import { fieldsOf, itemKey, pathText, readFields, writeFields, type FieldSet } from "./paths.ts"

/** Who has set which fields, and how. */
interface Manager {
  manager: string
  operation: "Apply" | "Update"
  apiVersion: string
  time: string
  subresource: string
  fields: FieldSet
}

/** Who writes now. */
export interface Writer {
  manager: string
  apiVersion: string
  subresource?: string | undefined
}

const MAX_MANAGERS = 10

/** Who manages the fields of an object. */
function managersOf(object: Tree): Manager[] {
  return listAt(object, "metadata", "managedFields")
    .filter(isTree)
    .map((one) => ({
      manager: String(one["manager"] ?? ""),
      operation: one["operation"] === "Apply" ? "Apply" : "Update",
      apiVersion: String(one["apiVersion"] ?? ""),
      time: String(one["time"] ?? ""),
      subresource: String(one["subresource"] ?? ""),
      fields: readFields(one["fieldsV1"]),
    }))
}

function written(managers: readonly Manager[]): Tree[] {
  return managers
    .filter(({ fields }) => fields.size > 0)
    .toSorted((a, b) => (a.operation === b.operation ? 0 : a.operation === "Apply" ? -1 : 1))
    .map(entryOf)
}

function entryOf({ manager, operation, apiVersion, time, subresource, fields }: Manager): Tree {
  return {
    apiVersion,
    fieldsType: "FieldsV1",
    fieldsV1: writeFields(fields),
    manager,
    operation,
    ...(subresource !== "" && { subresource }),
    time,
  }
}

/** A manager that has lost fields. */
function less(manager: Manager, isLost: (path: string) => boolean): Manager {
  return { ...manager, fields: new Set([...manager.fields].filter((path) => !isLost(path))) }
}

function withManagers(object: Tree, managers: readonly Manager[]): Tree {
  const metadata = isTree(object["metadata"]) ? object["metadata"] : {}
  const managedFields = written(managers)
  const { managedFields: _, ...rest } = metadata
  return { ...object, metadata: managedFields.length > 0 ? { ...rest, managedFields } : rest }
}

function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, "Z")
}

/**
 * The object with its writer as the manager of what differs from `before` (undefined: of all). Others lose what was changed. A request that
 * empties managedFields has them emptied.
 */
export function updateManaged(object: Tree, before: Tree | undefined, definition: Definition, writer: Writer): Tree {
  const asked = isTree(object["metadata"]) ? object["metadata"]["managedFields"] : undefined
  const isReset = Array.isArray(asked) && asked.length === 1 && isTree(asked[0]) && Object.keys(asked[0]).length === 0
  const managers = isReset || before === undefined ? [] : managersOf(before)
  const changed = before === undefined ? fieldsOf(object, definition, true) : difference(object, before, definition)
  const gone = before === undefined ? new Set<string>() : removed(object, before, definition)
  const subresource = writer.subresource ?? ""
  const mine = (one: Manager): boolean =>
    one.manager === writer.manager && one.operation === "Update" && one.subresource === subresource
  const own = managers.find(mine)
  const others = managers
    .filter((one) => !mine(one))
    .map((one) => less(one, (path) => changed.has(path) || gone.has(path)))
  const kept = [...(own?.fields ?? [])].filter((path) => !gone.has(path))
  const fields = new Set([...kept, ...changed])
  const isSame = changed.size === 0 && gone.size === 0
  const entry: Manager = {
    manager: writer.manager,
    operation: "Update",
    apiVersion: writer.apiVersion,
    time: isSame && own ? own.time : now(),
    subresource,
    fields,
  }
  return withManagers(object, capped([...others, ...(fields.size > 0 ? [entry] : [])]))
}

/** The oldest of those that update become one. */
function capped(managers: readonly Manager[]): Manager[] {
  const updates = managers
    .filter(({ operation }) => operation === "Update")
    .toSorted((a, b) => (a.time < b.time ? -1 : 1))
  const tooMany = updates.length - MAX_MANAGERS
  if (tooMany <= 0) return [...managers]
  const old = updates.slice(0, tooMany + 1)
  const [first] = old
  if (first === undefined) return [...managers]
  const fields = new Set(old.flatMap((one) => [...one.fields]))
  return [...managers.filter((one) => !old.includes(one)), { ...first, manager: "ancient-changes", fields }]
}

/** Fields of `object` that are new, or have another value. */
function difference(object: Tree, before: Tree, definition: Definition): FieldSet {
  const [now2, then] = [valuesOf(object, definition), valuesOf(before, definition)]
  return new Set([...now2].filter(([path, value]) => then.get(path) !== value).map(([path]) => path))
}

function removed(object: Tree, before: Tree, definition: Definition): FieldSet {
  const [all, then] = [fieldsOf(object, definition, true), fieldsOf(before, definition, true)]
  return new Set([...then].filter((path) => !all.has(path)))
}

/** Each field with the text of its value; containers without. */
function valuesOf(object: Tree, definition: Definition): Map<string, string> {
  const leaves = fieldsOf(object, definition)
  const values = new Map<string, string>()
  for (const path of fieldsOf(object, definition, true)) values.set(path, leaves.has(path) ? textOf(object, path) : "")
  return values
}

function textOf(object: Tree, path: string): string {
  return canonical(valueAt(object, path.split("\0").slice(0, -1)))
}

function valueAt(object: unknown, steps: readonly string[]): unknown {
  let found: unknown = object
  for (const one of steps) {
    if (one.startsWith("f:")) {
      const key = one.slice(2)
      found = isTree(found) && Object.hasOwn(found, key) ? found[key] : undefined
    } else if (one.startsWith("k:") && Array.isArray(found)) {
      const keys = Object.keys(JSON.parse(one.slice(2)) as Tree)
      // an item is told by its key alone: its fields have paths of their own
      const item: unknown = found.find((candidate) => itemKey(candidate, keys) === one)
      found = steps.at(-1) === one && item !== undefined ? one : item
    } else found = one
  }
  return found
}

/** What server-side apply is asked. */
export interface ApplyRequest {
  /** As it was sent, read by its schema, without defaults. */
  applied: Tree
  definition: Definition
  writer: Writer
  /** Takes fields from others. */
  force: boolean
}

/**
 * Merges what is applied into `live` (undefined: nothing is there), takes away what this manager applied before and no longer does, and
 * throws Conflict where another manager has set a field to another value.
 */
export function applyManaged(live: Tree | undefined, { applied, definition, writer, force }: ApplyRequest): Tree {
  const wanted = fieldsOf(applied, definition)
  const managers = live === undefined ? [] : managersOf(live)
  const subresource = writer.subresource ?? ""
  const mine = (one: Manager): boolean =>
    one.manager === writer.manager && one.operation === "Apply" && one.subresource === subresource
  const own = managers.find(mine)
  const base = live ?? {}
  let merged = mergeObject(base, applied, definition)
  const changed =
    live === undefined
      ? new Set<string>()
      : new Set([...difference(merged, base, definition)].filter((path) => wanted.has(path)))
  const conflicts = managers
    .filter((one) => !mine(one))
    .flatMap((one) => [...one.fields].filter((path) => changed.has(path)).map((path) => ({ one, path })))
  if (conflicts.length > 0 && !force) throw conflictError(conflicts)
  const others = managers.filter((one) => !mine(one)).map((one) => less(one, (path) => changed.has(path)))
  const foreign = new Set(others.flatMap((one) => [...one.fields]))
  const dropped = [...(own?.fields ?? [])].filter(
    (path) => !wanted.has(path) && !foreign.has(path) && !holdsForeign(path, foreign),
  )
  for (const path of dropped.toSorted((a, b) => a.length - b.length))
    merged = without(merged, path.split("\0").slice(0, -1)) as Tree
  const isSame = own !== undefined && dropped.length === 0 && changed.size === 0 && sameSet(own.fields, wanted)
  const entry: Manager = {
    manager: writer.manager,
    operation: "Apply",
    apiVersion: writer.apiVersion,
    time: isSame ? own.time : now(),
    subresource,
    fields: wanted,
  }
  return withManagers(merged, [...others, entry])
}

function sameSet(one: FieldSet, other: FieldSet): boolean {
  return one.size === other.size && [...one].every((path) => other.has(path))
}

/** An item of a list stays while somebody else has a field of it. */
function holdsForeign(path: string, foreign: FieldSet): boolean {
  for (const one of foreign) if (one.startsWith(path)) return true
  return false
}

function conflictError(conflicts: readonly { one: Manager; path: string }[]): Error {
  const about = ({ manager, apiVersion, subresource, time, operation }: Manager): string =>
    `"${manager}"${subresource === "" ? "" : ` with subresource "${subresource}"`} using ${apiVersion}${operation === "Update" && time !== "" ? ` at ${time}` : ""}`
  const causes = conflicts.map(({ one, path }) => ({
    reason: "FieldManagerConflict",
    message: `conflict with ${about(one)}`,
    field: pathText(path),
  }))
  const names = new Map<string, string[]>()
  for (const { message, field } of causes) names.set(message, [...(names.get(message) ?? []), field])
  const texts = [...names].map(([message, fields]) =>
    fields.length === 1
      ? `${message}: ${fields[0]}`
      : `${message.replace("conflict", "conflicts")}:\n${fields.map((field) => `- ${field}`).join("\n")}`,
  )
  const count = `${causes.length} conflict${causes.length === 1 ? "" : "s"}`
  return statusError("FailedPrecondition", `Apply failed with ${count}: ${texts.join("\n")}`, {
    reason: "Conflict",
    causes,
  })
}

function mergeObject(object: Tree, applied: Tree, definition: Definition | undefined): Tree {
  const result: Tree = { ...object }
  for (const [key, value] of Object.entries(applied)) {
    const before = Object.hasOwn(result, key) ? result[key] : undefined
    Object.defineProperty(result, key, {
      value: mergeValue(before, value, definition?.fields.get(key)?.type),
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }
  return result
}

function mergeValue(before: unknown, value: unknown, type: FieldType | undefined): unknown {
  if (isTree(value)) {
    if (type?.type === "object") {
      const definition = type.definition()
      return definition.isAtomic || !isTree(before) ? value : mergeObject(before, value, definition)
    }
    if (type?.type === "map" && (type.isAtomic || !isTree(before))) return value
    if (type?.type === "map" && isTree(before)) return { ...before, ...mapMerge(before, value, type.of) }
    return isTree(before) ? mergeObject(before, value, undefined) : value
  }
  if (!Array.isArray(value) || !Array.isArray(before) || type?.type !== "list" || type.merge.by === "whole")
    return value
  if (type.merge.by === "value") return [...before, ...value.filter((one) => !before.includes(one))]
  const { keys } = type.merge
  const definition = type.of.type === "object" ? type.of.definition() : undefined
  const result: unknown[] = [...before]
  for (const item of value) {
    const key = itemKey(item, keys)
    const index = result.findIndex((one) => itemKey(one, keys) === key)
    const current = result[index]
    if (index === -1) result.push(item)
    else if (isTree(current) && isTree(item)) result[index] = mergeObject(current, item, definition)
  }
  return result
}

function mapMerge(before: Tree, value: Tree, of: FieldType): Tree {
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, mergeValue(before[key], one, of)]))
}

/** Without what is at a path; a mapping that is empty then goes, too. */
function without(value: unknown, [first, ...rest]: readonly string[]): unknown {
  if (first === undefined) return undefined
  if (first.startsWith("f:") && isTree(value)) {
    const key = first.slice(2)
    if (!Object.hasOwn(value, key)) return value
    const below = without(value[key], rest)
    const copy = { ...value }
    if (below === undefined || (isTree(below) && Object.keys(below).length === 0 && rest.length > 0)) delete copy[key]
    else copy[key] = below
    return copy
  }
  if (!Array.isArray(value)) return value
  const matches = (item: unknown): boolean =>
    first.startsWith("k:")
      ? itemKey(item, Object.keys(JSON.parse(first.slice(2)) as Tree)) === first
      : `v:${JSON.stringify(item)}` === first
  const list = value.flatMap((item) => {
    if (!matches(item)) return [item]
    const below = without(item, rest)
    return below === undefined ? [] : [below]
  })
  return list.length === 0 ? undefined : list
}
