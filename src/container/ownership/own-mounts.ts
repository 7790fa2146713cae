/**
 * Mounts whose files shall be the program's: given to it on disk (`chown`), or shown as its own by an id-mapped mount (`idMap`), so that
 * on the host they stay whose they are. An ordinary user can make no such mount of his files: there the ids of the container are
 * chosen instead (as-caller.ts).
 */
import { closeSync, realpathSync, statSync } from "node:fs"
import { crashPoint } from "../../base/crash-point.ts"
import { FailedPrecondition, hasErrno, InvalidArgument } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import type { OciMount } from "../../spec/oci-runtime.ts"
import { mountFilesMapped, openUserNamespace } from "../../sys/fs/id-mapped-mount.ts"
import { makePrivate } from "../../sys/fs/mount.ts"
import { rootlessUid } from "../../sys/fs/paths.ts"
import type { Abortable, MountPoint } from "../container.ts"
import type { ContainerDeps } from "../deps.ts"
import { stagedPlace } from "../mounts/stage.ts"
import type { ContainerRecord } from "../record.ts"
import { outsideOf } from "../userns/id-maps.ts"
import type { UserNamespace } from "../userns/user-namespace.ts"
import { exchangedIds, mapText, parseMountIds } from "./id-map-text.ts"

/** Whom the program runs as, by the ids inside, and which ids those are. */
export interface ProgramIds {
  user: { uid: number; gid: number }
  userNamespace: UserNamespace | undefined
}

/** Gives `mounts`, one for each of the container's, with the places where those are that are shown otherwise. Throws FailedPrecondition. */
export async function ownMounts(
  deps: ContainerDeps,
  record: ContainerRecord,
  mounts: readonly OciMount[],
  { abort, ...ids }: Abortable & ProgramIds,
): Promise<OciMount[]> {
  const owned = [...mounts]
  for (const [index, point] of record.spec.mounts.entries()) {
    const mount = mounts[index]
    if (mount?.source === undefined) continue
    // once: what others have put there since is theirs
    if (point.chown === true && record.state.mountsGiven !== true) await give(mount.source, ids, abort)
    if (point.idMap === undefined || rootlessUid() !== undefined) continue
    const place = stagedPlace(deps, record.id, `${index}-owned`, statSync(mount.source).isDirectory())
    await showAs(mount.source, place, point, ids)
    crashPoint("mount:staged")
    owned[index] = { ...mount, source: place }
  }
  record.state.mountsGiven = true
  return owned
}

async function give(
  source: string,
  { user, userNamespace }: ProgramIds,
  abort: AbortSignal | undefined,
): Promise<void> {
  refuseSystemDirectory(source)
  const { giveTree } = await import("../../sys/fs/give-tree.ts")
  const maps = userNamespace?.maps
  const owner = maps === undefined ? user : { uid: outside(maps.uids, user.uid), gid: outside(maps.gids, user.gid) }
  const { left } = await giveTree(source, owner, abort)
  if (left.length > 0)
    log.warn(`files of "${source}" have other names elsewhere and stay whose they are`, {
      count: left.length,
      first: Buffer.from(left[0] ?? "", "latin1").toString(),
    })
}

function outside(map: Parameters<typeof outsideOf>[0], id: number): number {
  const found = outsideOf(map, id)
  if (found !== undefined) return found
  throw new FailedPrecondition(`the container's user ${id} is nobody outside of its user namespace`, {
    field: "userNamespace",
    hint: "no file can be given to it",
  })
}

/** What a host needs to be root's: a slip of the pen must not give it away. */
const SYSTEM =
  /^\/(?:(?:bin|boot|dev|etc|lib|lib32|lib64|proc|sbin|sys|usr)(?:\/.*)?|home|media|mnt|opt|root|run|srv|tmp|var|var\/(?:lib|log|run|tmp|spool))?$/

/** Throws InvalidArgument. */
function refuseSystemDirectory(source: string): void {
  const path = realpathSync(source)
  if (!SYSTEM.test(path) && path !== process.env.HOME) return
  throw new InvalidArgument(`"${path}" is not given to a container's user: the host needs it as it is`, {
    field: "mounts",
    hint: "mount a directory below it",
  })
}

async function showAs(source: string, place: string, { idMap = "" }: MountPoint, ids: ProgramIds): Promise<void> {
  const maps = ids.userNamespace?.maps
  const { uid, gid } = statSync(source)
  const { uids = exchangedIds(uid, ids.user.uid, maps?.uids), gids = exchangedIds(gid, ids.user.gid, maps?.gids) } =
    idMap === "" ? {} : parseMountIds(idMap, maps)
  const namespace = await openUserNamespace({ uids: mapText(uids), gids: mapText(gids) })
  try {
    mountFilesMapped(source, place, namespace)
    makePrivate(place)
  } catch (cause) {
    if (!hasErrno(cause, "EINVAL", "EPERM", "ENOSYS", "EOPNOTSUPP")) throw cause
    throw new FailedPrecondition(`the files of "${source}" cannot be shown as the container's user's`, {
      field: "mounts",
      hint: "id-mapped mounts need Linux 5.12, and ext4, xfs, btrfs, tmpfs or another file system that can: give the files to the user instead (chown, U)",
      cause,
    })
  } finally {
    closeSync(namespace)
  }
}
