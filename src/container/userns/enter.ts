/** What changes at a start because the container has other ids than the engine. */
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { Unsupported } from "../../base/errors.ts"
import { crashPoint } from "../../base/crash-point.ts"
import type { BundlePaths, Runtime } from "../../runtime/runtime.ts"
import type { OciMount } from "../../spec/oci-runtime.ts"
import { unmountAll, type Mount } from "../../sys/fs/mount.ts"
import { rootlessUid } from "../../sys/fs/paths.ts"
import { filesDirectory } from "../container-files.ts"
import type { ContainerDeps } from "../deps.ts"
import { mappedVolumesDirectory, runDirectory, shmDirectory } from "../paths.ts"
import type { ContainerRecord } from "../record.ts"
import { secretsDirectory } from "../secrets.ts"
import { outsideOf } from "./id-maps.ts"
import { mountDirectory, mountRootMapped } from "./mount-mapped.ts"
import { mountReachable } from "./reachable-root.ts"
import { keptUser, rootInside, type UserNamespace } from "./user-namespace.ts"

export { runtimeUser, userNamespaceOf } from "./user-namespace.ts"

/** Whom the program runs as, as written: the user's word, else whom `keep-id` keeps, else the image's. */
export function userOf({ spec: { options, run } }: ContainerRecord): string {
  const kept = keptUser(options.userNamespace)
  return options.user === undefined && kept !== undefined ? `${kept.uid}:${kept.gid}` : run.user
}

/** The number of the caller on the host, where `keep-id` keeps him. */
export function keptUid({ spec }: ContainerRecord): number | undefined {
  return keptUser(spec.options.userNamespace) === undefined ? undefined : rootlessUid()
}

/**
 * Mounts the root anew, with the container's ids; by now the engine has done all that it does to the files as root. Gives where the
 * runtime finds it. Throws Unsupported for a runtime that the ids of an ordinary user's container cannot follow.
 */
export async function showRoot(
  deps: ContainerDeps,
  { id }: ContainerRecord,
  { bundle, mount, userNamespace, runtime }: ShownRoot,
): Promise<string> {
  const isRelative = startsFromBundle(runtime)
  unmountAll(bundle.rootfs)
  await mountRootMapped(bundle.rootfs, await mount(), userNamespace, join(runDirectory(deps, id), "layers"))
  crashPoint("ids:root-mapped")
  const { gid } = rootInside(userNamespace)
  if (!isRelative) return mountReachable(deps, id, bundle.rootfs, gid)
  // its root comes to the root file system from here, and no other user does
  chownSync(bundle.directory, 0, gid)
  chmodSync(bundle.directory, 0o710)
  return bundle.rootfs
}

interface ShownRoot {
  bundle: BundlePaths
  mount: () => Promise<Mount>
  userNamespace: UserNamespace
  runtime: Runtime
}

/** crun goes to the root from the bundle, in which it is; others from `/`, where a user's directories are in the way. */
function startsFromBundle({ name }: Runtime): boolean {
  if (name === "crun") return true
  if (rootlessUid() === undefined) return false
  throw new Unsupported(`${name} cannot reach a container's root with the ids of another user namespace`, {
    field: "runtime",
    hint: "use crun: it starts from the container's own directory, which no other user can enter",
  })
}

/** Files that the engine has made for the container belong to the ids that are meant. */
export function giveFiles(deps: ContainerDeps, { id }: ContainerRecord, { maps }: UserNamespace): void {
  for (const directory of [filesDirectory(deps, id), secretsDirectory(deps, id), shmDirectory(deps, id)]) {
    if (!statSync(directory, { throwIfNoEntry: false })) continue
    for (const path of [directory, ...readdirSync(directory).map((name) => join(directory, name))]) {
      const { uid, gid } = statSync(path)
      chownSync(path, outsideOf(maps.uids, uid) ?? uid, outsideOf(maps.gids, gid) ?? gid)
    }
  }
}

/** What the user of a container is called by the engine; nobody's id stays what it is. */
export function userOutside<T extends { uid: number; gid: number }>(user: T, { maps }: UserNamespace): T {
  return { ...user, uid: outsideOf(maps.uids, user.uid) ?? user.uid, gid: outsideOf(maps.gids, user.gid) ?? user.gid }
}

/**
 * Whether volumes are filled from the mapped root: the volumes of an ordinary user are mounted as they are, so the files must come
 * with the owners that the container is to see.
 */
export function fillsMapped(): boolean {
  return rootlessUid() !== undefined
}

/**
 * Named volumes keep the ids that all containers see, by id-mapped mounts. An ordinary user can make none: of his a new one is
 * given to whom the program runs as (fillVolumes).
 */
export async function showVolumes(
  deps: ContainerDeps,
  { id, spec }: ContainerRecord,
  mounts: readonly OciMount[],
  userNamespace: UserNamespace,
): Promise<OciMount[]> {
  const volumes = new Set(
    spec.mounts.flatMap(({ type, target, idMap }) =>
      (type === "volume" && idMap === undefined) || type === "image" ? [target] : [],
    ),
  )
  const shown: OciMount[] = []
  for (const mount of mounts) {
    const { source } = mount
    if (source === undefined || !volumes.has(mount.destination) || rootlessUid() !== undefined) shown.push(mount)
    else {
      const target = join(mappedVolumesDirectory(deps, id), String(shown.length))
      mkdirSync(target, { recursive: true, mode: 0o700 })
      await mountDirectory(source, target, userNamespace)
      shown.push({ ...mount, source: target })
    }
  }
  return shown
}
