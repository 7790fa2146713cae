import { log } from "../../base/log.ts"
import { isSkiffError } from "../../base/errors.ts"
import type { Images } from "../../image/image.ts"
import { parsePlatform } from "../../spec/platform.ts"
import { layerEvent } from "../build/pull-services.ts"
import type { ComposeDeps } from "../deps.ts"
import type { ImageStep } from "../plan/image-plan.ts"
import type { Project } from "../project.ts"
import type { UpOptions } from "../up-options.ts"
import { each } from "./act.ts"

/** Pulls, at once, then builds. A pull that fails is no failure where the image can be built. Throws as both do. */
export async function ensureImages(
  deps: ComposeDeps,
  project: Project,
  steps: readonly ImageStep[],
  options: UpOptions & { separator: "-" | "_" },
): Promise<void> {
  if (steps.length === 0) return
  const images = await deps.images()
  const toBuild = steps.filter(({ action }) => action === "build").map(({ service }) => service)
  const pulls = steps.filter(({ action }) => action !== "build")
  await each(pulls, options, async (step) => {
    const isBuildable = step.action === "pull-or-build"
    if (!(await pull(images, step, isBuildable, options))) toBuild.push(step.service)
  })
  if (toBuild.length === 0) return
  const { buildServices } = await import("../build/build-services.ts")
  await buildServices(deps, project, toBuild, {
    separator: options.separator,
    limit: options.limit,
    signal: options.signal,
    isDryRun: options.dryRun === true,
    ...(options.onEvent && { onEvent: options.onEvent }),
    ...(options.onBuildEvent && { onBuildEvent: options.onBuildEvent }),
  })
}

/** False: it could not be pulled, and is to be built. */
async function pull(
  images: Images,
  { service: name, image, platform, reason }: ImageStep,
  isBuildable: boolean,
  { onEvent, dryRun = false, quietPull = false, signal }: UpOptions,
): Promise<boolean> {
  const service = { kind: "service", name } as const
  onEvent?.({ ...service, state: "Pulling" })
  try {
    if (!dryRun)
      await images.pull(image, {
        isMissing: reason === "missing",
        ...(platform !== undefined && { platform: parsePlatform(platform) }),
        ...(!quietPull && onEvent && { onProgress: (event) => onEvent(layerEvent(name, event)) }),
        ...(signal && { signal }),
      })
  } catch (error) {
    if (isBuildable && isSkiffError(error) && error.code !== "Cancelled") {
      onEvent?.({ ...service, state: "Warning", detail: `pull failed: ${error.message}` })
      log.debug(`image "${image}" is built: it could not be pulled`, { reason: error.message })
      return false
    }
    onEvent?.({ ...service, state: "Error", detail: error instanceof Error ? error.message : String(error) })
    throw error
  }
  onEvent?.({ ...service, state: "Pulled" })
  return true
}
