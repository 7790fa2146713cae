import { isSkiffError } from "../../base/errors.ts"
import type { BuildHost } from "../build-host.ts"
import { openWorkFolder, sweepBuilds, type WorkFolder } from "../solve/work-folder.ts"

export interface FilesTools {
  host: BuildHost
  /** The files of a working container, which does not change meanwhile. Throws NotFound. */
  rootOf(name: string): Promise<AsyncDisposable & { path: string }>
}

/** A folder for the time of one command, after those of killed ones are gone. */
export async function openFolder({ host }: FilesTools): Promise<WorkFolder> {
  await sweepBuilds(host.root, host.snapshots)
  return openWorkFolder(host.root)
}

/** Host path of the files of another working container, or of an image, until `stack` is disposed. Throws NotFound. */
export async function filesOf(
  name: string,
  { host, rootOf }: FilesTools,
  folder: WorkFolder,
  stack: AsyncDisposableStack,
): Promise<string> {
  try {
    return stack.use(await rootOf(name)).path
  } catch (error) {
    if (!isSkiffError(error, "NotFound")) throw error
  }
  const key = folder.snapshotKey()
  const mount = await host.snapshots.view(key, host.images.get(name).topLayer)
  stack.defer(() => host.snapshots.remove(key))
  const mounted = folder.mount("view", mount)
  stack.defer(() => folder.unmount(mounted))
  return mounted
}
