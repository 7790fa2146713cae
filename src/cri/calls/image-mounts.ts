/** Images that are mounted as volumes. */
import { InvalidArgument } from "../../base/errors.ts"
import type { Engine } from "../../engine/engine.ts"
import { openRoot } from "../../sys/fs/confined.ts"
import { statInRoot } from "../../sys/fs/confined-path.ts"
import { close } from "../../sys/libc.ts"
import { checkSubpath } from "../../spec/docker/mount-request.ts"
import type { Mount } from "../protocol/messages.ts"

/** Throws NotFound for an image that is not here, InvalidArgument for a path that it does not have. */
export async function checkImageMounts(engine: Engine, mounts: readonly Mount[]): Promise<void> {
  for (const { image, image_sub_path: path } of mounts) {
    if (image === null || image.image === "") continue
    const images = await engine.images()
    const { id } = images.get(image.image)
    if (path !== "") await checkPath(images, id, checkSubpath(path), image.image)
  }
}

async function checkPath(
  images: Awaited<ReturnType<Engine["images"]>>,
  id: string,
  path: string,
  name: string,
): Promise<void> {
  const isMounted = (await images.mounted()).some(({ image }) => image.id === id)
  const root = openRoot(await images.mount(id))
  try {
    if (statInRoot(root, path) === undefined)
      throw new InvalidArgument(`the image "${name}" has no "${path}"`, { field: "mounts.image_sub_path" })
  } finally {
    close(root)
    if (!isMounted) await images.unmount(id)
  }
}
