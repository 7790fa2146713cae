import { isSkiffError } from "../base/errors.ts"
import type { Engine } from "../engine/engine.ts"

/** The snapshot that holds the files of a container or an image; undefined for an image without layers. Throws NotFound. */
export async function snapshotNamed(engine: Engine, name: string): Promise<string | undefined> {
  const containers = await engine.containers()
  try {
    return containers.get(name).id
  } catch (error) {
    if (!isSkiffError(error, "NotFound")) throw error
  }
  return (await engine.images()).get(name).topLayer
}
