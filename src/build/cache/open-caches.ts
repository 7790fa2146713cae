import { isSkiffError, type ErrorCode } from "../../base/errors.ts"
import type { RegistryAccess } from "../../registry/registry.ts"
import type { BuildEvents } from "../build-events.ts"
import type { BuildDeps } from "../deps.ts"
import type { CacheSource } from "../build.ts"
import type { CacheReader } from "./backend.ts"
import { layoutReader } from "./layout-backend.ts"
import { LazyCache } from "./lazy-cache.ts"
import { readCache, type OpenedCache } from "./read-cache.ts"
import { registryReader } from "./registry-backend.ts"

/** What `--cache-from` is read with. */
export interface OpenCachesOptions {
  deps: BuildDeps
  access: RegistryAccess
  events: BuildEvents
  signal: AbortSignal
}

/** What makes a cache one that is not there: the build goes on without it, as buildkit's does. */
const ABSENCES: ReadonlySet<ErrorCode> = new Set(["NotFound", "PermissionDenied", "Unavailable", "Unsupported"])

/** Reads what `--cache-from` names, all at once. Throws DataLoss, InvalidArgument for what is not what it says. */
export async function openCaches(sources: readonly CacheSource[], options: OpenCachesOptions): Promise<LazyCache[]> {
  const opened = await Promise.all(sources.map((source) => openSource(source, options)))
  return opened.flat().map((each) => new LazyCache(each, options.deps))
}

async function openSource(source: CacheSource, options: OpenCachesOptions): Promise<OpenedCache[]> {
  const { events, signal } = options
  const name = source.type === "local" ? source.path : (source.names[0] ?? "")
  return await events.step(`importing cache manifest from ${name}`, async (number) => {
    const { onProgress } = events.contextOf(number)
    try {
      const opened = await readFirst(await readersOf(source, options), signal)
      onProgress({ id: "cache", stage: "cache-imported", current: opened.length === 0 ? 0 : stepsOf(opened) })
      return opened
    } catch (error) {
      if (!isSkiffError(error) || !ABSENCES.has(error.code) || signal.aborted) throw error
      onProgress({ id: "cache", stage: "cache-not-imported", reason: error.message })
      events.warn({ rule: "CacheNotImported", message: error.message })
      return []
    }
  })
}

async function readersOf(source: CacheSource, { deps, access, signal }: OpenCachesOptions): Promise<CacheReader[]> {
  if (source.type === "local") return [layoutReader(source.path, source)]
  const registries = await deps.registries()
  return await Promise.all(source.names.map((name) => registryReader(registries, name, { ...access, signal })))
}

/** The first that is there. */
async function readFirst(readers: readonly CacheReader[], signal: AbortSignal): Promise<OpenedCache[]> {
  let failure: unknown
  for (const reader of readers)
    try {
      return await readCache(reader, signal)
    } catch (error) {
      if (!isSkiffError(error, "NotFound")) throw error
      failure ??= error
    }
  throw failure
}

function stepsOf(opened: readonly OpenedCache[]): number {
  return opened.reduce((sum, { map }) => sum + map.steps.length, 0)
}
