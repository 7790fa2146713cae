import type { ImageRunConfig } from "../../spec/oci-image.ts"
import { changeWords, withHistory } from "./history.ts"
import type { DraftChanges, ImageDraft, KeyedChanges } from "./working.ts"

/** The draft after `changes`, without empty fields. */
export function changeDraft(draft: ImageDraft, changes: DraftChanges): ImageDraft {
  const changed = withoutEmpty({
    ...draft,
    ...given(changes.about),
    config: changeConfig(draft.config, changes),
    annotations: changeMap(draft.annotations, changes.annotations),
  })
  return changes.addHistory ? withHistory(changed, ...changeWords(changes)) : changed
}

function changeConfig(config: ImageRunConfig, changes: DraftChanges): ImageRunConfig {
  const ports = changes.ports.map(([port, value]) => [port.includes("/") ? port : `${port}/tcp`, value] as const)
  return withoutEmpty({
    ...config,
    ...given(changes.config),
    Env: changeEnv(config.Env ?? [], changes.env),
    Labels: changeMap(config.Labels ?? {}, changes.labels),
    ExposedPorts: changeSet(config.ExposedPorts ?? {}, ports),
    Volumes: changeSet(config.Volumes ?? {}, changes.volumes),
    OnBuild: [...(config.OnBuild ?? []), ...changes.onBuild],
  })
}

/** A variable keeps its place; a new one goes to the end. */
function changeEnv(env: readonly string[], changes: KeyedChanges): string[] {
  const values = new Map(
    env.map((entry) => {
      const [key = ""] = entry.split("=", 1)
      return [key, entry.slice(key.length + 1)]
    }),
  )
  for (const [key, value] of changes) {
    if (value === undefined) values.delete(key)
    else values.set(key, value)
  }
  return [...values].map(([key, value]) => `${key}=${value}`)
}

function changeMap(map: Readonly<Record<string, string>>, changes: KeyedChanges): Record<string, string> {
  const values = new Map(Object.entries(map))
  for (const [key, value] of changes) {
    if (value === undefined) values.delete(key)
    else values.set(key, value)
  }
  return Object.fromEntries(values)
}

function changeSet(set: Readonly<Record<string, object>>, changes: KeyedChanges): Record<string, object> {
  return Object.fromEntries(
    Object.keys(changeMap(Object.fromEntries(Object.keys(set).map((key) => [key, ""])), changes)).map((key) => [
      key,
      set[key] ?? {},
    ]),
  )
}

function given<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>
}

/** Go's omitempty: docker and buildah write no empty fields. */
function withoutEmpty<T extends object>(object: T): T {
  const kept = Object.entries(object).filter(([key, value]) => ALWAYS.has(key) || !isEmpty(value))
  return Object.fromEntries(kept) as T
}

/** Of the draft itself. */
const ALWAYS = new Set(["config", "annotations"])

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return true
  return typeof value === "object" && Object.keys(value).length === 0
}
