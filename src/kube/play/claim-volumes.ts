import { createReadStream, statSync } from "node:fs"
import type { PersistentVolumeClaim } from "kubernetes-types/core/v1"
import { InvalidArgument } from "../../base/errors.ts"
import type { Cancellable } from "../../base/cancel.ts"
import type { NewVolume, Volumes } from "../../volume/volume.ts"

const PREFIX = "volume.podman.io/"

/** A claim as the volume that it is here: podman's annotations say how it is made. Throws InvalidArgument. Pure. */
export function claimedVolume({
  metadata = {},
}: PersistentVolumeClaim): NewVolume & { name: string; importFrom?: string } {
  const { name = "", labels = {}, annotations = {} } = metadata
  if (name.trim() === "") throw new InvalidArgument("persistent volume claim name can not be empty")
  const word = (key: string): string | undefined => annotations[`${PREFIX}${key}`]
  const options = {
    ...defined("device", word("device")),
    ...defined("type", word("type")),
    ...defined("o", word("mount-options")),
    ...defined("uid", idOf("uid", word("uid"))),
    ...defined("gid", idOf("gid", word("gid"))),
    ...defined("image", word("image")),
  }
  const [driver, importFrom] = [word("driver"), word("import-source")]
  return {
    name,
    labels,
    ...(driver !== undefined && { driver }),
    ...(Object.keys(options).length > 0 && { options }),
    ...(importFrom !== undefined && { importFrom }),
  }
}

function defined(key: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [key]: value }
}

function idOf(what: string, word: string | undefined): string | undefined {
  if (word !== undefined && !/^\d{1,10}$/.test(word))
    throw new InvalidArgument(`cannot convert ${what} ${word.slice(0, 40)} to integer`)
  return word
}

/** Makes it unless it is there, filled from an archive where its annotation names one. Gives the name. */
export async function makeClaimed(
  volumes: Volumes,
  { importFrom, ...volume }: ReturnType<typeof claimedVolume>,
  cancellable: Cancellable,
): Promise<string> {
  if (importFrom !== undefined && statSync(importFrom, { throwIfNoEntry: false })?.isFile() !== true)
    throw new InvalidArgument(`no such file to import into volume "${volume.name}": "${importFrom.slice(0, 200)}"`)
  const { name } = await volumes.create(volume)
  if (importFrom !== undefined) await volumes.import(name, createReadStream(importFrom), cancellable)
  return name
}
