/** The files of a container at a path of the host, for as long as a user wants them there. */
import { existsSync, mkdirSync } from "node:fs"
import { isMountPoint, mountOrFind } from "../../sys/fs/mount.ts"
import type { Abortable } from "../container.ts"
import type { ContainerDeps } from "../deps.ts"
import { containerEvent } from "../events.ts"
import { reconciled } from "../reconcile-now.ts"
import { isRunning } from "../observe.ts"
import { mountDirectory } from "../paths.ts"
import type { ContainerRecord } from "../record.ts"
import { bindOf, rootMount } from "../root-mount.ts"
import { removeMount } from "./remove-mount.ts"

/** See `Containers.mount`. */
export async function mountContainer(
  deps: ContainerDeps,
  nameOrId: string,
  { abort }: Abortable = {},
): Promise<string> {
  const { id } = deps.records.get(nameOrId)
  using lock = await deps.locks.acquire(id, { signal: abort })
  const record = await reconciled(deps, id, lock)
  const path = mountDirectory(deps, id)
  if (existsSync(path) && isMountPoint(path)) return path
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const seen = mountOrFind(path, await mountFor(deps, record))
  deps.records.tell(containerEvent(record, "mount"))
  return seen
}

/** A running container's own, or the one that a start will take. */
async function mountFor(deps: ContainerDeps, record: ContainerRecord): ReturnType<typeof rootMount> {
  if (!isRunning(record, deps)) return await rootMount(deps, record)
  return bindOf((await deps.runtimes()).bundle(record.id).rootfs)
}

/** See `Containers.unmount`. */
export async function unmountContainer(
  deps: ContainerDeps,
  nameOrId: string,
  { abort }: Abortable = {},
): Promise<boolean> {
  const record = deps.records.get(nameOrId)
  using _ = await deps.locks.acquire(record.id, { signal: abort })
  const wasMounted = removeMount(deps, record.id)
  if (wasMounted) deps.records.tell(containerEvent(record, "unmount"))
  return wasMounted
}

/** See `Containers.mountPoint`. */
export function mountPointOf(deps: ContainerDeps, nameOrId: string): string | undefined {
  const path = mountDirectory(deps, deps.records.get(nameOrId).id)
  return existsSync(path) && isMountPoint(path) ? path : undefined
}
