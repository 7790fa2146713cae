import { createHash } from "node:crypto"
import { statSync } from "node:fs"
import { layerTar } from "../../archive/archive.ts"
import type { Bytes } from "../../content/content.ts"
import type { DiffId } from "../../spec/digest.ts"
import type { Plan } from "../plan/plan.ts"
import type { CacheMounts } from "../execute/cache-mounts.ts"
import type { MapMount } from "./cache-map.ts"
import type { LazyCache, RemoteLayer } from "./lazy-cache.ts"
import { digestOf } from "./verified.ts"

/** What a cache mount holds: held here from change, or still where it was imported from. */
export interface CollectedMount extends Omit<MapMount, "layer"> {
  diffId: DiffId
  origin: { kind: "here"; path: string; size: number } | { kind: "remote"; layer: RemoteLayer }
}

/** What the caches of all RUNs of these plans hold. `stack` lets go of them; `onBusy` is told of those that a step uses. */
export async function collectMounts(
  plans: readonly Pick<Plan, "vertices">[],
  mounts: CacheMounts,
  remotes: readonly LazyCache[],
  stack: DisposableStack,
  onBusy: (name: string) => void,
): Promise<CollectedMount[]> {
  const collected = new Map<string, CollectedMount>()
  for (const { operation } of plans.flatMap(({ vertices }) => vertices)) {
    if (operation.kind !== "run") continue
    for (const mount of operation.mounts) {
      if (mount.type !== "cache") continue
      const key = await mounts.keyOf(mount)
      if (collected.has(key)) continue
      const held = await mounts.freeze(mount)
      if (held === "in use") onBusy(mount.id)
      const isHere = held !== undefined && held !== "in use"
      const found = isHere ? await described(key, stack.use(held).path) : fromRemotes(key, remotes)
      if (found !== undefined) collected.set(key, found)
    }
  }
  return [...collected.values()]
}

async function described(key: string, path: string): Promise<CollectedMount> {
  const hash = createHash("sha256")
  let size = 0
  for await (const chunk of mountTar(path)) {
    hash.update(chunk)
    size += chunk.length
  }
  const { mode, uid, gid } = statSync(path)
  const diffId = digestOf("sha256", hash) as DiffId
  return { key, diffId, mode: mode & 0o7777, uid, gid, origin: { kind: "here", path, size } }
}

/** Of a cache that no step needed here, so that it was not fetched. */
function fromRemotes(key: string, remotes: readonly LazyCache[]): CollectedMount | undefined {
  for (const cache of remotes) {
    const found = cache.mountOf(key)
    if (found === undefined) continue
    const { mode, uid, gid, from: layer } = found
    return { key, diffId: layer.diffId, mode, uid, gid, origin: { kind: "remote", layer } }
  }
  return undefined
}

/** All that a cache mount holds. */
export async function* mountTar(path: string): Bytes {
  yield* layerTar({ changed: path, form: { kind: "whole" } })
}
