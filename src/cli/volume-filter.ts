import { InvalidArgument } from "../base/errors.ts"
import { parseTimestamp } from "../spec/docker/timestamp.ts"
import type { Volume } from "../volume/volume.ts"
import { booleanFilter, parseFilters } from "./filters.ts"

/** Keys of docker and podman. */
const VOLUME_FILTERS = [
  "after",
  "all",
  "anonymous",
  "dangling",
  "driver",
  "label",
  "label!",
  "name",
  "opt",
  "scope",
  "since",
  "until",
] as const

/** What volumes are chosen by, beside their own records. */
export interface VolumeFacts {
  /** Throws NotFound. */
  get(name: string): Volume
  isUsed(name: string): boolean
}

/** Whether the filters ask for a volume: any value of one key, each of the keys. Throws InvalidArgument, NotFound. */
export function volumeFilter(texts: readonly string[], facts: VolumeFacts): (volume: Volume) => boolean {
  const filters = parseFilters(texts, VOLUME_FILTERS)
  const { name, label, driver, opt, scope, "label!": notLabel, until, since, after = since } = filters
  const dangling = booleanFilter(filters.dangling, "dangling")
  const isAnonymous = booleanFilter(filters.anonymous, "anonymous")
  const before = until === undefined ? undefined : parseTimestamp(until.at(-1) ?? "")
  const later = after === undefined ? undefined : facts.get(after.at(-1) ?? "").createdAt
  const names = name?.map(namePattern)
  return (one) =>
    (isAnonymous === undefined || one.anonymous === isAnonymous) &&
    !notLabel?.some((unwanted) => hasKey(one.labels, unwanted)) &&
    (opt?.every((wanted) => hasKey(one.options, wanted)) ?? true) &&
    (scope?.includes(one.scope) ?? true) &&
    (before === undefined || one.createdAt < before) &&
    (later === undefined || one.createdAt > later) &&
    (names?.some((matches) => matches(one.name)) ?? true) &&
    (label?.every((wanted) => hasKey(one.labels, wanted)) ?? true) &&
    (driver?.includes(one.driver) ?? true) &&
    (dangling === undefined || dangling !== facts.isUsed(one.name))
}

/** Whether docker's filter `all` of prune is set. */
export function asksForAll(texts: readonly string[]): boolean {
  return booleanFilter(parseFilters(texts, VOLUME_FILTERS).all, "all") ?? false
}

/** A part of the name, or a pattern for it. Throws InvalidArgument. */
function namePattern(text: string): (name: string) => boolean {
  try {
    const pattern = new RegExp(text)
    return (name) => name.includes(text) || pattern.test(name)
  } catch (cause) {
    throw new InvalidArgument(`invalid filter 'name=${text}': it is no pattern`, { cause })
  }
}

/** `key`, or `key=value`. */
function hasKey(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const equals = wanted.indexOf("=")
  if (equals < 0) return Object.hasOwn(labels, wanted)
  const key = wanted.slice(0, equals)
  return Object.hasOwn(labels, key) && labels[key] === wanted.slice(equals + 1)
}
