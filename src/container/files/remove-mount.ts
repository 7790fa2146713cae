import { existsSync, rmdirSync } from "node:fs"
import { hasErrno } from "../../base/errors.ts"
import { unmountAll } from "../../sys/fs/mount.ts"
import type { ContainerDeps } from "../deps.ts"
import { mountDirectory } from "../paths.ts"

/** False when nothing was mounted. The caller holds the lock. Safe to repeat. */
export function removeMount(deps: Pick<ContainerDeps, "runRoot">, id: string): boolean {
  const path = mountDirectory(deps, id)
  if (!existsSync(path)) return false
  const wasMounted = unmountAll(path)
  try {
    rmdirSync(path)
  } catch (error) {
    if (!hasErrno(error, "ENOENT")) throw error
  }
  return wasMounted
}
