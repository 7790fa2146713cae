/** A place for a container's root that its ids can come to from `/`: the engine's own directories are closed to them. */
import { chmodSync, chownSync, lstatSync, mkdirSync, rmdirSync } from "node:fs"
import { join } from "node:path"
import { hasErrno, PermissionDenied } from "../../base/errors.ts"
import { MountFlag, mountAt, unmountAll } from "../../sys/fs/mount.ts"
import type { ContainerDeps } from "../deps.ts"

/** Beside the run directory. All may go through it, nobody sees what is there, and each container's part is for its root alone. */
const placeOf = ({ runRoot }: Pick<ContainerDeps, "runRoot">): string => `${runRoot}-ids`

/** Mounts the root once more, for runtimes that go down to it from `/`; gives where. `gid`: of the container's root. */
export function mountReachable(deps: Pick<ContainerDeps, "runRoot">, id: string, rootfs: string, gid: number): string {
  const place = placeOf(deps)
  mkdirSync(place, { recursive: true, mode: 0o711 })
  const stat = lstatSync(place)
  // anybody may have made it, where the run directory lies in /tmp (CVE-2014-0047)
  if (!stat.isDirectory() || stat.uid !== process.getuid?.())
    throw new PermissionDenied(`"${place}" is not a directory of our own`, { hint: "look who made it, then remove it" })
  chmodSync(place, 0o711)
  const own = join(place, id)
  const target = join(own, "rootfs")
  mkdirSync(target, { recursive: true, mode: 0o700 })
  chownSync(own, 0, gid)
  chmodSync(own, 0o710)
  mountAt(target, { type: "none", source: rootfs, data: [], flags: MountFlag.bind })
  return target
}

/** Safe to repeat. */
export function unmountReachable(deps: Pick<ContainerDeps, "runRoot">, id: string): void {
  const own = join(placeOf(deps), id)
  if (lstatSync(own, { throwIfNoEntry: false }) === undefined) return
  const target = join(own, "rootfs")
  unmountAll(target)
  // not rm -r: it must fail while anything is mounted there
  for (const directory of [target, own])
    try {
      rmdirSync(directory)
    } catch (error) {
      if (!hasErrno(error, "ENOENT")) throw error
    }
}
