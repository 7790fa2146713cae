import { randomUUID } from "node:crypto"
import { applyLayer } from "../../archive/archive.ts"
import { rootlessUid } from "../../sys/fs/paths.ts"
import { chainIds } from "../../spec/chain-id.ts"
import { MediaType, type HistoryEntry } from "../../spec/oci-image.ts"
import type { Plan } from "../plan/plan.ts"
import type { ExportContext } from "./context.ts"
import type { NamedLayer } from "./name-layers.ts"

/**
 * All layers that are ours as one (`--squash`): what a later one deletes is in none. The base's stay as they are, unless they
 * are to be in it too (`--squash-all`).
 */
export async function squashLayers(
  layers: readonly NamedLayer[],
  plan: Plan,
  { deps, lease, request }: Pick<ExportContext, "deps" | "lease" | "request">,
): Promise<{ layers: readonly NamedLayer[]; history: readonly HistoryEntry[] }> {
  const isWhole = request.squash === "all"
  const base = isWhole ? [] : layers.filter(({ createdAt }) => createdAt === undefined)
  const top = layers.at(-1)
  const below = base.at(-1)
  const history = plan.history.map(({ entry, vertex }) =>
    vertex === undefined && !isWhole ? entry : { ...entry, empty_layer: true },
  )
  if (top === undefined || layers.length === base.length) return { layers, history }
  const { snapshots } = deps
  const key = `squash ${randomUUID()}`
  const { path } = await snapshots.stage(key)
  await using undo = new AsyncDisposableStack()
  undo.defer(() => snapshots.remove(key))
  let tarBytes = 0
  const tar = snapshots.diff(top.chainId, { since: below?.chainId ?? "nothing" })
  const { diffId, sizeBytes } = await applyLayer(tar, path, {
    rootless: rootlessUid() !== undefined,
    onProgress: (bytes) => void (tarBytes = bytes),
  })
  const chainId = chainIds([...base.map((layer) => layer.diffId), diffId]).at(-1) ?? top.chainId
  lease.addSnapshot(chainId)
  await snapshots.commitStage(chainId, key, below?.chainId)
  undo.move()
  const squashed: NamedLayer = {
    descriptor: { mediaType: MediaType.ociLayer, digest: diffId, size: tarBytes },
    diffId,
    chainId,
    sizeBytes,
    createdAt: layers.findLast(({ createdAt }) => createdAt !== undefined)?.createdAt,
    isSnapshotOnly: true,
    wastedBytes: 0,
  }
  const entry: HistoryEntry = {
    created_by: `skiff build --squash${isWhole ? "-all" : ""}`,
    comment: `merge of ${layers.length - base.length} layers`,
  }
  return { layers: [...base, squashed], history: [...history, entry] }
}
