import { accessSync, closeSync, constants } from "node:fs"
import { treeTar } from "../../archive/archive.ts"
import type { Bytes } from "../../base/bytes.ts"
import { openRoot } from "../../sys/fs/confined.ts"

/** Whether the directory's files can be read by this user. */
export function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The files of a volume as tar, with owners, attributes and holes; nothing is followed. */
export async function* directoryTar(path: string, signal?: AbortSignal): Bytes {
  const fd = openRoot(path)
  try {
    yield* treeTar({ directory: fd, name: "." }, { as: ".", exact: true, signal })
  } finally {
    closeSync(fd)
  }
}
