import { closeSync, existsSync, openSync, readdirSync, unlinkSync, writeFileSync } from "node:fs"
import { heeding } from "../base/cancel.ts"
import { isSkiffError } from "../base/errors.ts"
import { setOwner } from "../sys/fs/attributes.ts"
import { statOf } from "../sys/fs/directory.ts"
import { FileLocks } from "../sys/fs/file-locks.ts"
import { copiesUp, isOwnDirectory } from "./volume-options.ts"
import type { CopyUpOptions, Volume } from "./volume.ts"

/** See `Volumes.copyUp`. `home`: the store's directory for the volume. */
export async function fillVolume(
  volume: Volume,
  home: string,
  { rootfs, path }: { rootfs: string; path: string },
  { signal, owner, withoutFiles = false }: CopyUpOptions = {},
): Promise<void> {
  const { name, mountpoint: data } = volume
  // of two containers that start at once, one fills it
  using _ = await new FileLocks(home, `volume ${name}`).acquire("lock", { signal })
  const mark = `${home}/half-filled`
  if (existsSync(mark)) await emptyDirectory(data)
  else if (readdirSync(data).length > 0) return
  writeFileSync(mark, "", { mode: 0o600 })
  const { copyTree } = await import("../sys/fs/copy-tree.ts")
  try {
    if (!withoutFiles && copiesUp(volume))
      await heeding(signal, `filling volume "${name}"`, () => copyTree(rootfs, path, data, "/", { signal }))
  } catch (error) {
    // an image need not have the directory
    if (!isSkiffError(error, "NotFound")) throw error
  }
  // a directory of the host is whose it is
  if (isOwnDirectory(volume) && owner !== undefined) giveUnlessOwned(data, owner)
  unlinkSync(mark)
}

/** What the image gives to nobody in particular is root's: the program that is to write there would be refused (docker's oldest complaint). */
function giveUnlessOwned(directory: string, { uid, gid }: { uid: number; gid: number }): void {
  const fd = openSync(directory, "r")
  try {
    const there = statOf(fd)
    if (there.uid === 0 && there.gid === 0) setOwner(fd, uid, gid)
  } finally {
    closeSync(fd)
  }
}

/** What a killed copy left. No container has mounted it: that comes after. */
async function emptyDirectory(path: string): Promise<void> {
  const { removeTree } = await import("../sys/fs/remove-tree.ts")
  for (const name of readdirSync(path)) await removeTree(`${path}/${name}`)
}
