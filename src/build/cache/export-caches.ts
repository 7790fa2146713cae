import type { Lease } from "../../content/content.ts"
import type { DiffId } from "../../spec/digest.ts"
import type { RegistryAccess } from "../../registry/registry.ts"
import type { BuildEvents } from "../build-events.ts"
import type { BuildDeps } from "../deps.ts"
import type { CacheTarget } from "../build.ts"
import type { Plan } from "../plan/plan.ts"
import { CacheMounts } from "../execute/cache-mounts.ts"
import type { CacheMap } from "./cache-map.ts"
import type { CacheWriter } from "./backend.ts"
import { collectMounts } from "./collect-mounts.ts"
import { collectSteps, type CollectOptions } from "./collect-steps.ts"
import { layoutWriter } from "./layout-backend.ts"
import { registryWriter } from "./registry-backend.ts"
import { writeCache } from "./write-cache.ts"

/** What `--cache-to` is written with. */
export interface ExportCachesOptions extends CollectOptions {
  deps: BuildDeps
  lease: Lease
  access: RegistryAccess
  events: BuildEvents
  signal: AbortSignal
}

type WrittenTarget = Exclude<CacheTarget, { type: "inline" }>

/** Where a cache is to go, found to be a place that can hold one. */
export interface OpenedTarget {
  target: WrittenTarget
  writer: CacheWriter
}

/** Looks at what `--cache-to` names before the work begins. Throws InvalidArgument, PermissionDenied, Unavailable. */
export async function openTargets(
  targets: readonly CacheTarget[],
  {
    deps,
    access,
    signal,
    events,
    pushed,
  }: Pick<ExportCachesOptions, "deps" | "access" | "signal" | "events"> & { pushed: readonly string[] },
): Promise<OpenedTarget[]> {
  const opened: OpenedTarget[] = []
  for (const target of targets) {
    if (target.type === "inline") continue
    await unlessIgnored(target, events, signal, async () => {
      const writer =
        target.type === "local"
          ? layoutWriter(target.path, target.tag)
          : await registryWriter(await deps.registries(), target.name, pushed, { ...access, signal })
      opened.push({ target, writer })
    })
  }
  return opened
}

/** Writes caches, one after the other; those inline are in their images already. */
export async function exportCaches(
  targets: readonly OpenedTarget[],
  plans: readonly Plan[],
  options: ExportCachesOptions,
): Promise<void> {
  const { events, signal } = options
  for (const opened of targets) {
    const where = opened.target.type === "local" ? "client directory" : "registry"
    await events.step(`exporting cache to ${where}`, (number) =>
      unlessIgnored(opened.target, events, signal, () => exportCache(opened, plans, options, number)),
    )
  }
}

async function unlessIgnored(
  { ignoreError }: WrittenTarget,
  events: BuildEvents,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!ignoreError || !(error instanceof Error) || signal.aborted) throw error
    events.warn({ rule: "CacheNotExported", message: error.message })
  }
}

async function exportCache(
  { target, writer }: OpenedTarget,
  plans: readonly Plan[],
  options: ExportCachesOptions,
  number: number,
): Promise<void> {
  const { deps, events, remotes } = options
  const work = events.contextOf(number)
  using held = new DisposableStack()
  work.onProgress({ id: "prepare", stage: "cache-collecting" })
  const steps = await collectSteps(plans, target.mode, options)
  const onBusy = (name: string): void => {
    const message = `the cache mount "${name}" is in use by another build: it is not exported`
    events.warn({ rule: "CacheMountInUse", message })
  }
  const mounts = target.mounts ? await collectMounts(plans, new CacheMounts(deps.root), remotes, held, onBusy) : []
  await writeCache(writer, steps, mounts, { ...options, form: target, work })
}

/** The cache that goes into the config of an image with these layers: of the steps that it is made of. */
export async function inlineCache(plan: Plan, diffIds: readonly DiffId[], options: CollectOptions): Promise<CacheMap> {
  const steps = await collectSteps([plan], "min", options)
  const map = steps.map(({ diffId, keys, parent, slot, description, parts, created }) => {
    const layer = diffIds.lastIndexOf(diffId)
    return { keys: [...keys], parent, layer, slot, description, parts, created }
  })
  return { layers: [], steps: map, mounts: [] }
}
