import { FailedPrecondition, isSkiffError } from "../../base/errors.ts"
import { mountAt } from "../../sys/fs/mount.ts"
import type { MountPoint } from "../container.ts"
import type { ContainerDeps } from "../deps.ts"

/**
 * Mounts the files of an image for one run. With `rw` what is written lies in a layer over them, which goes at the end; the
 * image stays as it is.
 */
export async function mountImagePoint(
  deps: Pick<ContainerDeps, "snapshots">,
  { key, point, target }: { key: string; point: MountPoint; target: string },
): Promise<void> {
  const snapshots = await deps.snapshots()
  const layer = point.image?.topLayer
  if (layer === undefined)
    throw new FailedPrecondition(`image "${point.source}" has no files to mount`, { field: "mounts" })
  // of a start that was killed
  await snapshots.remove(key)
  mountAt(target, point.readOnly ? await snapshots.view(key, layer) : await snapshots.prepare(key, layer))
}

/** The mounts with their images found: what is mounted stays the same image, whatever its name comes to mean. Throws NotFound. */
export async function withImages(deps: ContainerDeps, mounts: readonly MountPoint[]): Promise<MountPoint[]> {
  const images = await deps.images()
  return mounts.map((point) => {
    if (point.type !== "image") return point
    try {
      const { id, topLayer } = images.get(point.source)
      return topLayer === undefined ? point : { ...point, image: { id, topLayer } }
    } catch (error) {
      if (!isSkiffError(error, "NotFound")) throw error
      throw missingImage(point.source, error)
    }
  })
}

function missingImage(name: string, cause: Error): FailedPrecondition {
  return new FailedPrecondition(`no such image to mount: "${name}"`, {
    field: "mounts",
    hint: { do: "pull", image: name },
    cause,
  })
}
