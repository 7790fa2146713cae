import { isSkiffError } from "../base/errors.ts"
import type { ContainerSize } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"

/** See `Containers.size`. */
export async function containerSize(deps: ContainerDeps, nameOrId: string): Promise<ContainerSize> {
  const { id, imageId } = deps.records.get(nameOrId)
  const [snapshots, images] = await Promise.all([deps.snapshots(), deps.images()])
  const writableBytes = await snapshots.usage(id).then(
    ({ bytes }) => bytes,
    (error: unknown) => {
      // killed in create, before it had a layer
      if (isSkiffError(error, "NotFound")) return 0
      throw error
    },
  )
  return { writableBytes, rootBytes: writableBytes + (images.find(imageId)?.sizeBytes ?? 0) }
}
