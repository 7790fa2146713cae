/** Files of images and volumes as the ids of a user namespace see them: nothing on disk changes its owner. */
import { closeSync, existsSync, mkdirSync, rmdirSync } from "node:fs"
import { crashPoint } from "../../base/crash-point.ts"
import { FailedPrecondition, hasErrno } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import { findProgram } from "../../sys/host.ts"
import { installCommand } from "../../sys/install-command.ts"
import { mountFilesMapped, openUserNamespace } from "../../sys/fs/id-mapped-mount.ts"
import { mountAt, unmount, type Mount } from "../../sys/fs/mount.ts"
import { rootlessUid } from "../../sys/fs/paths.ts"
import type { IdMapping } from "../user-namespace-options.ts"
import type { UserNamespace } from "./user-namespace.ts"

/** Whether both sides of each line are the same: then there is nothing to map. */
const isSame = (map: readonly IdMapping[]): boolean => map.every(({ inside, outside }) => inside === outside)

/**
 * Mounts a root file system at `target`, which shows its files to the container by their ids on disk. As root by an id-mapped
 * mount of the layers' directory, which is needed only as long as the overlay is being mounted; an ordinary user, who may make
 * none, by fuse-overlayfs. Without it the files are shown as they are where the caller is somebody inside, and all else is refused.
 */
export async function mountRootMapped(
  target: string,
  mount: Mount,
  userNamespace: UserNamespace,
  scratch: string,
): Promise<void> {
  const { uids, gids } = userNamespace.maps
  if (isSame(uids) && isSame(gids)) return mountAt(target, mount)
  if (rootlessUid() !== undefined || mount.helper !== undefined) return mountByFuse(target, mount, userNamespace)
  if (mount.workingDirectory === undefined) return mountDirectory(mount.source, target, userNamespace)
  mkdirSync(scratch, { mode: 0o700 })
  try {
    await mountDirectory(mount.workingDirectory, scratch, userNamespace)
    crashPoint("ids:layers-mapped")
    mountAt(target, { ...mount, workingDirectory: scratch })
  } finally {
    unmount(scratch)
    rmdirSync(scratch)
  }
}

/** Mounts a directory with its owners mapped. Throws FailedPrecondition where kernel or file system cannot. */
export async function mountDirectory(source: string, target: string, { maps }: UserNamespace): Promise<void> {
  const fd = await openUserNamespace({ uids: mapText(maps.uids), gids: mapText(maps.gids) })
  try {
    mountFilesMapped(source, target, fd)
  } catch (cause) {
    if (!hasErrno(cause, "EINVAL", "EPERM", "ENOSYS", "EOPNOTSUPP")) throw cause
    throw new FailedPrecondition(
      `the files of "${source}" cannot be shown with other owners: no id-mapped mount here`,
      {
        field: "userNamespace",
        hint: "overlayfs needs Linux 5.19 for it, below ext4, xfs, btrfs or tmpfs",
        cause,
      },
    )
  } finally {
    closeSync(fd)
  }
}

/** An id that nothing has. */
const UNUSED_ID = 2 ** 32 - 2

/**
 * The engine's root, who is nobody in the container, gets an id too: overlayfs makes its working files as whoever has mounted it, and
 * is read-only where that one has none (EOVERFLOW).
 */
function mapText(map: readonly IdMapping[]): string {
  const hasRoot = map.some(({ outside }) => outside === 0)
  const lines = hasRoot ? map : [...map, { inside: UNUSED_ID, outside: 0, count: 1 }]
  return lines.map(({ inside, outside, count }) => `${inside} ${outside} ${count}\n`).join("")
}

function mountByFuse(target: string, mount: Mount, { maps, isAutomatic }: UserNamespace): void {
  // who is root here owns the image's files
  const kept = maps.uids.some(({ outside }) => outside === 0)
  const program = mount.helper?.[0] ?? findProgram("fuse-overlayfs")
  const isOverlay = mount.workingDirectory !== undefined && existsSync("/dev/fuse")
  if (program === undefined || !isOverlay) return mountUnmapped(target, mount, { kept, isAutomatic })
  const directories = mount.data.filter((word) => /^(lower|upper|work)dir=/.test(word))
  const data = [...directories, `uidmapping=${fuseMap(maps.uids)}`, `gidmapping=${fuseMap(maps.gids)}`]
  try {
    mountAt(target, { ...mount, type: "fuse.fuse-overlayfs", data, helper: [program] })
  } catch (error) {
    log.debug("no mapped root by fuse-overlayfs", { error: String(error) })
    mountUnmapped(target, mount, { kept, isAutomatic })
  }
}

const fuseMap = (map: readonly IdMapping[]): string =>
  map.map(({ inside, outside, count }) => `${inside}:${outside}:${count}`).join(":")

function mountUnmapped(
  target: string,
  mount: Mount,
  { kept, isAutomatic }: { kept: boolean; isAutomatic: true | undefined },
): void {
  const repair = `${installCommand({ debian: "fuse-overlayfs" })}, and /dev/fuse for everyone (chmod 0666 /dev/fuse)`
  if (!kept)
    throw new FailedPrecondition("the files of the image cannot be shown to the ids of this user namespace", {
      field: "userNamespace",
      hint: `an ordinary user needs fuse-overlayfs for it: ${repair}`,
    })
  log[isAutomatic ? "debug" : "warn"](
    `root's files of the image are yours in this container: fuse-overlayfs, which maps owners, does not work here`,
    {
      repair,
    },
  )
  mountAt(target, mount)
}
