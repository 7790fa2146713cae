import { InvalidArgument } from "../base/errors.ts"
import type { ImageRunConfig } from "../spec/oci-image.ts"
import { changeWords, withHistory } from "./history.ts"
import type { ConfigChanges, WorkingImage, KeyedChanges } from "./builder.ts"

/** The workingImage after `changes`, without empty fields. */
export function changeConfig(workingImage: WorkingImage, changes: ConfigChanges): WorkingImage {
  const changed = withoutEmpty({
    ...workingImage,
    ...given(changes.about),
    config: changeRunConfig(workingImage.config, changes),
    "os.features": changeList(workingImage["os.features"] ?? [], changes.osFeatures),
    annotations: changeMap(workingImage.annotations, changes.annotations),
  })
  return changes.addHistory ? withHistory(changed, ...changeWords(changes)) : changed
}

function changeRunConfig(config: ImageRunConfig, changes: ConfigChanges): ImageRunConfig {
  const ports = changes.ports.map(([port, value]) => [fullPort(port), value] as const)
  return withoutEmpty({
    ...config,
    ...given(changes.config),
    Healthcheck: changeHealthcheck(config.Healthcheck, changes.config.Healthcheck),
    Env: changeEnv(config.Env ?? [], changes.env),
    Labels: changeMap(config.Labels ?? {}, changes.labels),
    ExposedPorts: changeSet(config.ExposedPorts ?? {}, ports),
    Volumes: changeSet(config.Volumes ?? {}, changes.volumes),
    OnBuild: [...(config.OnBuild ?? []), ...changes.onBuild],
  })
}

function fullPort(port: string): string {
  return port === ALL || port.includes("/") ? port : `${port}/tcp`
}

type Healthcheck = ImageRunConfig["Healthcheck"]

/** Docker's own defaults; buildah writes them down. */
const HEALTH_DEFAULTS = { Interval: 30_000_000_000, Timeout: 30_000_000_000, Retries: 3 }

function changeHealthcheck(before: Healthcheck, change: Healthcheck): Healthcheck {
  if (change === undefined) return before
  if (change.Test !== undefined && change.Test.length === 0) return undefined
  const after = { ...HEALTH_DEFAULTS, ...before, ...change }
  return after.Test?.[0] === "NONE" ? { Test: after.Test } : after
}

/** A variable keeps its place; a new one goes to the end. Throws InvalidArgument for one that is named and not there. */
function changeEnv(env: readonly string[], changes: KeyedChanges): string[] {
  const values = new Map(
    env.map((entry) => {
      const [key = ""] = entry.split("=", 1)
      return [key, entry.slice(key.length + 1)]
    }),
  )
  for (const [key, value] of changes)
    setOrTake(
      values,
      key,
      value?.replaceAll(VARIABLE, (_, braced?: string, plain = "") => valueOf(values, braced ?? plain)),
    )
  return [...values].map(([key, value]) => `${key}=${value}`)
}

const VARIABLE = /\$(?:\{(\w+)\}|([A-Za-z_]\w*))/g

function valueOf(values: ReadonlyMap<string, string>, name: string): string {
  const value = values.get(name)
  if (value === undefined)
    throw new InvalidArgument(`the working container has no variable "${name}"`, {
      hint: "set it first, or write the value itself",
    })
  return value
}

function setOrTake(values: Map<string, string>, key: string, value: string | undefined): void {
  if (value !== undefined) values.set(key, value)
  else if (key === ALL) values.clear()
  else values.delete(key)
}

const ALL = "-"

function changeList(list: readonly string[], changes: KeyedChanges): string[] {
  return Object.keys(changeMap(Object.fromEntries(list.map((each) => [each, ""])), changes))
}

function changeMap(map: Readonly<Record<string, string>>, changes: KeyedChanges): Record<string, string> {
  const values = new Map(Object.entries(map))
  for (const [key, value] of changes) setOrTake(values, key, value)
  return Object.fromEntries(values)
}

function changeSet(set: Readonly<Record<string, object>>, changes: KeyedChanges): Record<string, object> {
  return Object.fromEntries(changeList(Object.keys(set), changes).map((key) => [key, set[key] ?? {}]))
}

function given<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>
}

/** Go's omitempty: docker and buildah write no empty fields. */
function withoutEmpty<T extends object>(object: T): T {
  const kept = Object.entries(object).filter(([key, value]) => ALWAYS.has(key) || !isEmpty(value))
  return Object.fromEntries(kept) as T
}

/** Of the workingImage itself. */
const ALWAYS = new Set(["config", "annotations"])

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return true
  return typeof value === "object" && Object.keys(value).length === 0
}
