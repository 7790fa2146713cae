import { renameSync } from "node:fs"
import { crashPoint } from "../base/crash-point.ts"
import { FailedPrecondition, hasErrno, Unsupported } from "../base/errors.ts"
import { usedVolume } from "./used-volume.ts"
import type { VolumeRecords } from "./records.ts"

/** What renaming is handed. */
export interface RenameDeps {
  records: VolumeRecords
  /** Holds a directory for each volume. */
  directory: string
  usedBy(name: string): readonly { id: string; name: string }[]
  mountCount(name: string): number
}

/** See `Volumes.rename`. The record first: the directory follows, if need be by the next command. */
export function renameVolume({ records, directory, usedBy, mountCount }: RenameDeps, name: string, to: string): void {
  finishRenames(records, directory)
  const { driver } = records.get(name)
  if (driver !== "local" && driver !== "image")
    throw new Unsupported(`volume "${name}" is of the plugin "${driver}", which has no other name for it`, {
      hint: "make another volume, and copy the files",
    })
  records.rename(name, to, () => {
    const users = usedBy(name)
    if (users.length > 0) throw usedVolume(name, users)
    if (mountCount(name) > 0) throw new FailedPrecondition(`volume "${name}" is mounted`, { hint: "unmount it first" })
  })
  crashPoint("volume:renamed")
  finishRenames(records, directory)
}

/** What a killed one left to do. Safe to repeat, and beside others who do it. */
export function finishRenames(records: VolumeRecords, directory: string): void {
  for (const { name, former } of records.moving()) {
    try {
      renameSync(`${directory}/${former}`, `${directory}/${name}`)
    } catch (error) {
      if (!hasErrno(error, "ENOENT")) throw error
    }
    crashPoint("volume:moved")
    records.hasMoved(name)
  }
}
