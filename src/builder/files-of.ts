import type { Cancellable } from "../base/cancel.ts"
import { isSkiffError } from "../base/errors.ts"
import type { RegistryAccess } from "../registry/registry.ts"
import { hostPlatform } from "../spec/platform.ts"
import type { BuilderDeps } from "./deps.ts"
import type { Source } from "../build/execute/executor.ts"
import type { BuildDirectory } from "../build/build-directory.ts"

/** What files of other containers and images are found with. */
export interface FilesTools extends Cancellable {
  deps: BuilderDeps
  /** The files of a working container, which does not change meanwhile. Throws NotFound. */
  rootOf(name: string): Promise<AsyncDisposable & { path: string }>
}

/** A directory for the time of one command, after those of killed ones are gone. */
export async function openDirectory({ deps }: FilesTools): Promise<BuildDirectory> {
  await deps.directories.sweep()
  return deps.directories.open()
}

/** The files of another working container, or of an image, which is pulled where it is missing, until `stack` is disposed. Throws NotFound. */
export async function filesOf(
  name: string,
  { deps, rootOf, signal }: FilesTools,
  directory: BuildDirectory,
  stack: AsyncDisposableStack,
  access: RegistryAccess = {},
): Promise<Source> {
  try {
    return { path: stack.use(await rootOf(name)).path, keepsOwners: true }
  } catch (error) {
    if (!isSkiffError(error, "NotFound")) throw error
  }
  const { id } = await deps.resolveBase(
    deps.images,
    name,
    hostPlatform(),
    { pull: "missing", access },
    signal ? { signal } : {},
  )
  const { topLayer } = deps.images.get(id)
  const key = directory.snapshotKey()
  const mount = await deps.snapshots.view(key, topLayer)
  stack.defer(() => deps.snapshots.remove(key))
  const mounted = directory.mount("view", mount)
  stack.defer(() => directory.unmount(mounted))
  return { path: mounted, keepsOwners: true, identity: topLayer ?? "scratch" }
}
