import { heeding } from "../base/cancel.ts"
import { isSkiffError } from "../base/errors.ts"
import type { Abortable, ContainerSize } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"

/** See `Containers.size`. */
export async function containerSize(
  deps: ContainerDeps,
  nameOrId: string,
  { abort }: Abortable = {},
): Promise<ContainerSize> {
  const { id, imageId } = deps.records.get(nameOrId)
  const [snapshots, images] = await Promise.all([deps.snapshots(), deps.images()])
  const writableBytes = await heeding(abort, "the measuring", () => snapshots.usage(id, abort)).then(
    ({ bytes }) => bytes,
    (error: unknown) => {
      // killed in create, before it had a layer
      if (isSkiffError(error, "NotFound")) return 0
      throw error
    },
  )
  return { writableBytes, rootBytes: writableBytes + (images.find(imageId)?.sizeBytes ?? 0) }
}
