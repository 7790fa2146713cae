import { log } from "../../base/log.ts"
import type { Containers } from "../../container/container.ts"
import type { NewVolume, Volumes } from "../../volume/volume.ts"
import { COMPOSE_VERSION, LABEL } from "../labels.ts"
import type { ResourceStep } from "../plan/resource-plan.ts"
import type { Project } from "../project.ts"
import type { ProjectContainer } from "../project-containers.ts"
import type { UpOptions } from "../up-options.ts"
import { act, each, subjectOf } from "./act.ts"
import { stopContainer, unlessGone } from "./stop.ts"

interface VolumeWork {
  volumes: Volumes
  containers: Containers
  project: Project
  /** Containers of the project. */
  found: readonly ProjectContainer[]
}

/** Makes what is missing. What was made anew already is `recreate`: its owner has said so (`askForVolumes`). */
export async function ensureVolumes(
  work: VolumeWork,
  steps: readonly ResourceStep[],
  options: UpOptions,
): Promise<void> {
  for (const { warning } of steps) if (warning !== undefined) log.warn(warning)
  await each(steps, options, async (step) => {
    if (step.action !== "create" && step.action !== "recreate") return
    if (step.action === "recreate") await removeChanged(work, step, options)
    await act(options, { kind: "volume", name: step.name }, ["Creating", "Created"], () =>
      work.volumes.create(newVolume(work.project, step)),
    )
  })
}

/** Asks for each that is not what the file says whether its data may be lost; those with a yes are `recreate` then. */
export async function askForVolumes(steps: readonly ResourceStep[], { confirm }: UpOptions): Promise<ResourceStep[]> {
  const decided: ResourceStep[] = []
  for (const step of steps) {
    if (step.action !== "differs") {
      decided.push(step)
      continue
    }
    const question = `Volume "${step.name}" exists but doesn't match configuration in compose file. Recreate (data will be lost)?`
    const isAgreed = (await confirm?.(question)) ?? false
    decided.push({ ...step, action: isAgreed ? "recreate" : "keep" })
  }
  return decided
}

/** Containers that use it are removed: docker's. */
async function removeChanged(
  { volumes, containers, project, found }: VolumeWork,
  { name }: ResourceStep,
  options: UpOptions,
): Promise<void> {
  const users = found.filter(({ container }) =>
    container.options.mounts.some((mount) => mount.type === "volume" && mount.source === name),
  )
  await each(users, options, async (one) => {
    await stopContainer({ containers, project }, one, options)
    await act(options, subjectOf(one), ["Removing", "Removed"], () =>
      unlessGone(() => containers.remove(one.container.id, { force: true, abort: options.signal })),
    )
  })
  await act(options, { kind: "volume", name }, ["Removing", "Removed"], () =>
    volumes.remove(name, { signal: options.signal }),
  )
}

/** A volume of the project as the engine makes it. Pure. */
function newVolume(project: Project, { key, name, configHash }: ResourceStep): NewVolume {
  const { driver, driver_opts: options, labels } = project.volumes[key] ?? {}
  return {
    name,
    ...(driver && { driver }),
    ...(options && { options }),
    labels: {
      ...labels,
      [LABEL.project]: project.name,
      [LABEL.volume]: key,
      [LABEL.version]: COMPOSE_VERSION,
      [LABEL.configHash]: configHash,
    },
  }
}
