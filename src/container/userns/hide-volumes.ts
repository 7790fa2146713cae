import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { unmountAll } from "../../sys/fs/mount.ts"
import type { ContainerDeps } from "../deps.ts"
import { mappedVolumesDirectory } from "../paths.ts"

/** Takes back what `showVolumes` (enter.ts) has mounted. Safe to repeat. */
export function hideVolumes(deps: Pick<ContainerDeps, "runRoot">, id: string): void {
  const directory = mappedVolumesDirectory(deps, id)
  if (!statSync(directory, { throwIfNoEntry: false })) return
  for (const name of readdirSync(directory)) unmountAll(join(directory, name))
}
