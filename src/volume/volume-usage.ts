import { existsSync } from "node:fs"
import type { Cancellable } from "../base/cancel.ts"
import { treeUsage } from "../sys/fs/tree-usage.ts"
import { imageVolumeKey, type ImageDriverDeps } from "./drivers/image.ts"
import type { DriverVolume } from "./drivers/driver.ts"
import { isOwnDirectory } from "./volume-options.ts"
import type { Volume } from "./volume.ts"

/** See `Volumes.usage`. */
export async function volumeUsage(
  { directory, storage, mountpoint }: DriverVolume,
  volume: Volume,
  { snapshots, signal }: Cancellable & Pick<ImageDriverDeps, "snapshots">,
): Promise<{ bytes: number }> {
  if (volume.driver === "image") return (await snapshots()).usage(imageVolumeKey(storage), signal)
  if (!isOwnDirectory(volume)) return { bytes: 0 }
  let bytes = 0
  for (const path of [mountpoint, `${directory}/snapshots`])
    if (existsSync(path)) bytes += (await treeUsage(path, signal)).bytes
  return { bytes }
}
