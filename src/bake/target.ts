import { InvalidArgument } from "../base/errors.ts"
import { parseFields } from "../spec/docker/csv.ts"
import { booleanOf, isList, isObject, itemsOf, textOf, type HclValue } from "./hcl/value.ts"

/** Fields of one secret, cache, output or attestation, by buildx's names. */
export type Fields = Readonly<Record<string, string | boolean | readonly string[]>>

/** One build of a bake file, with buildx's keys: what `--print` shows, before what is escaped. */
export interface BakeTarget {
  description?: string
  annotations?: readonly string[]
  attest?: readonly Fields[]
  context?: string
  contexts?: Readonly<Record<string, string>>
  dockerfile?: string
  "dockerfile-inline"?: string
  args?: Readonly<Record<string, string>>
  labels?: Readonly<Record<string, string>>
  tags?: readonly string[]
  "cache-from"?: readonly Fields[]
  "cache-to"?: readonly Fields[]
  target?: string
  secret?: readonly Fields[]
  ssh?: readonly Fields[]
  platforms?: readonly string[]
  output?: readonly Fields[]
  pull?: boolean
  "no-cache"?: boolean
  network?: string
  "no-cache-filter"?: readonly string[]
  "shm-size"?: string
  ulimits?: readonly string[]
  call?: string
  entitlements?: readonly string[]
  "extra-hosts"?: Readonly<Record<string, string>>
}

type Kind = "text" | "bool" | "texts" | "map" | "fields"
type Key = keyof BakeTarget

/** In the order in which buildx prints them. `adds`: what inherits has both lists. */
const KEYS: Readonly<Record<Key, { kind: Kind; adds?: boolean }>> = {
  description: { kind: "text" },
  annotations: { kind: "texts", adds: true },
  attest: { kind: "fields", adds: true },
  context: { kind: "text" },
  contexts: { kind: "map" },
  dockerfile: { kind: "text" },
  "dockerfile-inline": { kind: "text" },
  args: { kind: "map" },
  labels: { kind: "map" },
  tags: { kind: "texts" },
  "cache-from": { kind: "fields", adds: true },
  "cache-to": { kind: "fields" },
  target: { kind: "text" },
  secret: { kind: "fields", adds: true },
  ssh: { kind: "fields", adds: true },
  platforms: { kind: "texts" },
  output: { kind: "fields" },
  pull: { kind: "bool" },
  "no-cache": { kind: "bool" },
  network: { kind: "text" },
  "no-cache-filter": { kind: "texts", adds: true },
  "shm-size": { kind: "text" },
  ulimits: { kind: "texts", adds: true },
  call: { kind: "text" },
  entitlements: { kind: "texts", adds: true },
  "extra-hosts": { kind: "map" },
}

/** A target of a file: what it inherits besides. */
export interface TargetDraft {
  inherits: readonly string[]
  own: BakeTarget
}

export function isTargetKey(key: string): key is Key {
  return Object.hasOwn(KEYS, key)
}

export function kindOfKey(key: Key): Kind {
  return KEYS[key].kind
}

/** Reads the value of one key; undefined for null. Throws InvalidArgument. */
export function readKey(key: Key, value: HclValue): BakeTarget[Key] {
  if (value === null) return undefined
  switch (KEYS[key].kind) {
    case "text":
      return textOf(value)
    case "bool":
      return booleanOf(value)
    case "texts":
      return itemsOf(value).flatMap((one) => (one === null ? [] : [textOf(one)]))
    case "map":
      return mapOf(value)
    case "fields":
      return itemsOf(value).flatMap((one) => (one === null || one === "" ? [] : [readFields(key, one)]))
  }
}

function mapOf(value: HclValue): Record<string, string> {
  if (!isObject(value)) throw new InvalidArgument("an object is required")
  const entries = Object.entries(value).flatMap(([key, one]) => (one === null ? [] : [[key, textOf(one)] as const]))
  return Object.fromEntries(entries)
}

/** `type=registry,ref=x` or an object of the same. Throws InvalidArgument. */
export function readFields(key: string, value: HclValue): Fields {
  if (isObject(value))
    return Object.fromEntries(
      Object.entries(value).flatMap(([name, one]) =>
        one === null ? [] : [[name, isList(one) ? one.map(textOf) : textOf(one)] as const],
      ),
    )
  const text = textOf(value)
  if (key === "ssh") return readSshFields(text)
  if (!text.includes("=")) {
    if (key === "cache-from" || key === "cache-to") return { ref: text, type: "registry" }
    if (key === "output") return text === "-" ? { dest: "-", type: "tar" } : { dest: text, type: "local" }
  }
  const fields = Object.fromEntries([...parseFields(text, key)].map(([name, one]) => [name, one ?? "true"] as const))
  if (key === "secret") return secretFields(fields)
  if (key === "attest" && fields.disabled !== undefined) return { ...fields, disabled: fields.disabled === "true" }
  return fields
}

function readSshFields(text: string): Fields {
  const equals = text.indexOf("=")
  if (equals < 0) return { id: text }
  return { id: text.slice(0, equals), paths: text.slice(equals + 1).split(",") }
}

function secretFields({ id, src, source, env, type }: Record<string, string>): Fields {
  const from = src ?? source
  if (type === "env" && env === undefined) return { ...(id === undefined ? {} : { id }), env: from ?? id ?? "" }
  return {
    ...(id === undefined ? {} : { id }),
    ...(from === undefined ? {} : { src: from }),
    ...(env === undefined ? {} : { env }),
  }
}

/** `over` laid over `under`, as a target inherits. Pure. */
export function mergeTargets(under: BakeTarget, over: BakeTarget): BakeTarget {
  const merged: Record<string, unknown> = { ...under }
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined || !isTargetKey(key)) continue
    const before = under[key]
    if (KEYS[key].kind === "map") merged[key] = { ...(before as object | undefined), ...(value as object) }
    else if (KEYS[key].adds === true && Array.isArray(before)) merged[key] = added(key, before, value as unknown[])
    else merged[key] = value as unknown
  }
  return merged
}

/** An attestation takes the place of that of its type. */
function added(key: Key, before: readonly unknown[], more: readonly unknown[]): unknown[] {
  if (key !== "attest") return [...before, ...more]
  const types = new Set((more as Fields[]).map(({ type }) => type))
  return [...(before as Fields[]).filter(({ type }) => !types.has(type)), ...more]
}

/** With what buildx fills in, without what is empty or twice, in the order that it prints. Pure. */
export function normalTarget(target: BakeTarget): BakeTarget {
  const { network, entitlements = [] } = target
  const full: BakeTarget = {
    ...target,
    context: target.context ?? ".",
    dockerfile: target.dockerfile || "Dockerfile",
    entitlements: network === "host" ? [...entitlements, "network.host"] : entitlements,
  }
  const entries = Object.keys(KEYS).flatMap((name): [string, unknown][] => {
    const value = normalValue(full[name as Key])
    return value === undefined ? [] : [[name, value]]
  })
  return Object.fromEntries(entries)
}

function normalValue(value: BakeTarget[Key]): unknown {
  if (value === undefined || typeof value !== "object") return value
  if (Array.isArray(value)) {
    const items = (value as (string | Fields)[]).filter((one) => one !== "")
    const distinct = new Map(items.map((one) => [JSON.stringify(sorted(one)), one]))
    return distinct.size === 0 ? undefined : [...distinct.values()].map(sorted)
  }
  const entries = Object.entries(value)
  return entries.length === 0 ? undefined : sorted(value)
}

/** A secret's id stands first, as buildx has it; else by name. */
function sorted<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value
  const rank = (key: string) => ("id" in value && !("type" in value) ? ["id", "src", "env", "paths"].indexOf(key) : 0)
  const entries = Object.entries(value).toSorted(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
  return Object.fromEntries(entries) as T
}
