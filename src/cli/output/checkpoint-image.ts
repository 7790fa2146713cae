import type { Bytes } from "../../base/bytes.ts"
import type { Engine } from "../../engine/engine.ts"
import { hostPlatform } from "../../spec/platform.ts"

/** An image whose one layer is a checkpoint, with podman's annotations. */
export async function makeCheckpointImage(
  engine: Engine,
  name: string,
  container: string,
  archive: Bytes,
): Promise<void> {
  const { name: containerName, imageName } = (await engine.containers()).get(container)
  const annotations = {
    "io.podman.annotations.checkpoint.name": containerName,
    "io.podman.annotations.checkpoint.runtime.name": "runc",
    "io.podman.annotations.checkpoint.rootfsImageName": imageName,
  }
  await (
    await engine.images()
  ).createFromTar(archive, {
    name,
    annotations,
    config: { ...hostPlatform(), created: new Date().toISOString(), config: {} },
    createdBy: "checkpoint",
  })
}
