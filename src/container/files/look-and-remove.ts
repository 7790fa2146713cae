/** Looks at files of a container, and removes some, without a program in it: images need not have one. */
import { hasErrno, isSkiffError } from "../../base/errors.ts"
import { statInRoot } from "../../sys/fs/confined-path.ts"
import type { FileStat } from "../../sys/fs/directory.ts"
import { rawName } from "../../sys/fs/raw-name.ts"
import { removeAt } from "../../sys/fs/remove-tree.ts"
import type { Abortable } from "../container.ts"
import type { ContainerDeps } from "../deps.ts"
import { openContainerRoot, refuseOtherIds } from "./container-root.ts"
import { treeOf } from "./copy.ts"
import { locateSource } from "./locate.ts"

/** See `Containers.fileStats`. */
export async function fileStats(
  deps: ContainerDeps,
  nameOrId: string,
  paths: readonly string[],
  abortable: Abortable = {},
): Promise<(FileStat | undefined)[]> {
  using root = await openContainerRoot(deps, nameOrId, abortable)
  return paths.map((path) => {
    try {
      return statInRoot(root.fd, rawName(path.replace(/^\/+/, "")))
    } catch (error) {
      if (hasErrno(error, "ENOTDIR", "ENOENT", "ELOOP")) return undefined
      throw error
    }
  })
}

/** See `Containers.removeFiles`. */
export async function removeFiles(
  deps: ContainerDeps,
  nameOrId: string,
  paths: readonly string[],
  abortable: Abortable = {},
): Promise<void> {
  using root = await openContainerRoot(deps, nameOrId, abortable)
  refuseOtherIds(root)
  for (const path of paths) {
    try {
      using found = locateSource(treeOf(root), path.replace(/\/+$/, ""), false)
      if (found.at.name !== ".") removeAt(found.at.directory, found.at.name, path)
    } catch (error) {
      if (!isSkiffError(error, "NotFound")) throw error
    }
  }
}
