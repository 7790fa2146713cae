import type { ComposeDeps } from "../deps.ts"
import { selectServices, inDependencyOrder } from "../dependency-order.ts"
import { orphansOf } from "../orphans.ts"
import { lockProject } from "../project-lock.ts"
import type { DownOptions, Target } from "../verbs.ts"
import { each } from "./act.ts"
import { openTarget, type OpenTarget } from "./open-target.ts"
import {
  imagesToRemove,
  networksToRemove,
  removeImage,
  removeNetwork,
  removeVolume,
  volumesToRemove,
} from "./resources.ts"
import { stopAndRemove } from "./stop.ts"

/** See `ComposeVerbs.down`. */
export async function downProject(deps: ComposeDeps, wanted: Target, options: DownOptions = {}): Promise<boolean> {
  using _ = await lockProject(deps.locks, wanted.name, options.signal)
  const target = await openTarget(deps, wanted, { lenient: true })
  if (target.services.length > 0 && !target.services.some((name) => Object.hasOwn(target.project.services, name)))
    return true
  const found = await removeAllContainers(target, options)
  if (Object.values(target.project.services).some(({ provider }) => provider !== undefined)) {
    const { provide } = await import("./providers.ts")
    await provide(selectServices(target.project, target.services, "nothing"), "down", options)
  }
  const others = await removeResources(deps, target, options)
  return found || others
}

async function removeAllContainers(target: OpenTarget, options: DownOptions): Promise<boolean> {
  const all = options.removeOrphans === true ? target.all : target.all.filter(({ isOneOff }) => !isOneOff)
  const named = new Set(target.services)
  await inDependencyOrder(
    target.project.services,
    async (service) => {
      if (named.size > 0 && !named.has(service)) return
      const chosen = all.filter((one) => one.service === service)
      await each(chosen, options, (one) => stopAndRemove(target, one, options, options.volumes))
    },
    { reverse: true, signal: options.signal },
  )
  if (options.removeOrphans === true) {
    await each(orphansOf(target.project, all), options, (one) => stopAndRemove(target, one, options, false))
  }
  return all.length > 0
}

/** Opens only what is to be looked at. */
async function removeResources(deps: ComposeDeps, target: OpenTarget, options: DownOptions): Promise<boolean> {
  const { project, containers } = target
  const steps: (() => Promise<void>)[] = []
  if (Object.keys(project.networks).length > 0) {
    const networks = await deps.networks()
    for (const one of networksToRemove(networks, project))
      steps.push(() => removeNetwork(networks, containers, one, options))
  }
  if (options.images !== undefined) {
    const images = await deps.images()
    for (const name of imagesToRemove(images, project, { ...options, which: options.images }))
      steps.push(() => removeImage(images, name, options))
  }
  if (options.volumes === true) {
    const volumes = await deps.volumes()
    for (const name of volumesToRemove(volumes, project)) steps.push(() => removeVolume(volumes, name, options))
  }
  await each(steps, options, (step) => step())
  return steps.length > 0
}
