/** The files of images at a path of the host, read-only, for as long as a user wants them there. */
import { existsSync, mkdirSync, readdirSync, rmdirSync } from "node:fs"
import { join } from "node:path"
import { FailedPrecondition, hasErrno, isSkiffError } from "../base/errors.ts"
import { shortId } from "../base/short-id.ts"
import { digestHex } from "../spec/digest.ts"
import type { Snapshotter } from "../snapshot/snapshot.ts"
import { isMountPoint, mountOrFind, unmountAll } from "../sys/fs/mount.ts"
import type { Image } from "./image.ts"

interface MountDeps {
  mounts: string
  snapshots: Snapshotter
}

const keyOf = (image: Image): string => `image-mount-${hexOf(image)}`
const hexOf = ({ id }: Image): string => digestHex(id)

/** See `Images.mount`. */
export async function mountImage({ mounts, snapshots }: MountDeps, image: Image): Promise<string> {
  const path = join(mounts, hexOf(image))
  if (isMounted(path)) return path
  if (image.topLayer === undefined) throw new FailedPrecondition(`image "${image.id}" has no files to mount`)
  mkdirSync(path, { recursive: true, mode: 0o700 })
  try {
    return mountOrFind(path, await snapshots.view(keyOf(image), image.topLayer))
  } catch (error) {
    // mounted before the machine was rebooted
    if (!isSkiffError(error, "AlreadyExists")) throw error
    return mountOrFind(path, snapshots.mount(keyOf(image)))
  }
}

/** See `Images.unmount`. */
export async function unmountImage({ mounts, snapshots }: MountDeps, image: Image): Promise<boolean> {
  const path = join(mounts, hexOf(image))
  const wasMounted = unmountAll(path)
  try {
    rmdirSync(path)
  } catch (error) {
    if (!hasErrno(error, "ENOENT")) throw error
  }
  await snapshots.remove(keyOf(image))
  return wasMounted
}

/** Of an image that is to go. Throws FailedPrecondition where it is mounted and `force` is not set. */
export async function unmountToRemove(deps: MountDeps, image: Image, force: boolean): Promise<void> {
  const path = join(deps.mounts, hexOf(image))
  if (!existsSync(path)) return
  if (isMounted(path) && !force)
    throw new FailedPrecondition(`image ${shortId(hexOf(image))} is mounted at "${path}"`, {
      hint: { do: "removeImageForced", image: shortId(hexOf(image)) },
    })
  await unmountImage(deps, image)
}

/** Hexadecimal ids of those that are mounted, with their paths. */
export function mountedImages(mounts: string): Map<string, string> {
  const names = existsSync(mounts) ? readdirSync(mounts) : []
  const paths = names.map((hex) => [hex, join(mounts, hex)] as const)
  return new Map(paths.filter(([, path]) => isMounted(path)))
}

function isMounted(path: string): boolean {
  return existsSync(path) && isMountPoint(path)
}
