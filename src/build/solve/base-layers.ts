import { DataLoss } from "../../base/errors.ts"
import type { Images } from "../../image/image.ts"
import { chainIds } from "../../spec/chain-id.ts"
import type { Vertex } from "../plan/definition.ts"
import type { Layer } from "./result.ts"

const known = new WeakMap<Vertex, Promise<readonly Layer[]>>()

/** The layers of the image that a vertex names. Throws NotFound, DataLoss. */
export function baseLayers(images: Images, vertex: Vertex): Promise<readonly Layer[]> {
  let layers = known.get(vertex)
  if (layers === undefined) known.set(vertex, (layers = readLayers(images, vertex)))
  return layers
}

async function readLayers(images: Images, { operation }: Vertex): Promise<readonly Layer[]> {
  if (operation.kind !== "image") return []
  const image = images.get(operation.id)
  const [config, manifest] = await Promise.all([images.config(image), images.manifest(image)])
  const diffIds = config.rootfs.diff_ids
  if (manifest.layers.length !== diffIds.length)
    throw new DataLoss(
      `the manifest of "${operation.name}" has ${manifest.layers.length} layers, its config ${diffIds.length}`,
      { hint: "pull it again" },
    )
  const sizes = images.layers(image)
  return chainIds(diffIds).map((chainId, index): Layer => {
    const [descriptor, diffId] = [manifest.layers[index], diffIds[index]]
    if (descriptor === undefined || diffId === undefined) throw new Error("unreachable: both have as many")
    return { kind: "base", chainId, diffId, descriptor, sizeBytes: sizes[index]?.sizeBytes ?? 0 }
  })
}
