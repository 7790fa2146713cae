import { rmSync } from "node:fs"
import { Warnings } from "../field-fault.ts"
import type { NodeVolume } from "../node-pod.ts"
import { prepareVolumes } from "../prepare-volumes.ts"
import type { AgentDeps } from "./node-context.ts"
import { writePayload } from "./payload-directory.ts"
import { engineVolumeName } from "./pod-plan.ts"

type Deps = Pick<AgentDeps, "volumes" | "root" | "runRoot">

/**
 * Makes what is not there, and brings files in line with what they are of; gives what of it is not as it was asked for. Safe to repeat. Throws as
 * `prepareVolumes`.
 */
export async function keepVolumes(deps: Deps, uid: string, volumes: readonly NodeVolume[]): Promise<Warnings["list"]> {
  const warnings = new Warnings()
  const others = volumes.filter(({ kind }) => kind !== "files")
  if (others.length > 0)
    await prepareVolumes({ volumes: deps.volumes, ownDirectories: [deps.root, deps.runRoot] }, others, {
      holder: uid,
      warnings,
    })
  for (const volume of volumes) {
    if (volume.kind !== "files") continue
    const { mountpoint } = await deps.volumes.create({ name: volume.volume, anonymous: true })
    writePayload(mountpoint, volume.files, volume.groupId)
  }
  return warnings.list
}

/** Takes away the pod's own. Safe to repeat. */
export async function removeVolumes(deps: Deps, uid: string): Promise<void> {
  const prefix = engineVolumeName(uid, "")
  const own = deps.volumes.list().filter(({ name }) => name.startsWith(prefix))
  for (const { name } of own) {
    await deps.volumes.release(name, uid)
    await deps.volumes.remove(name, { force: true })
  }
  rmSync(podDirectory(deps, uid), { recursive: true, force: true })
}

/** Of what is kept of a pod, and of no container. */
export function podDirectory({ root }: Pick<Deps, "root">, uid: string): string {
  return `${root}/kube/pods/${uid}`
}
