import { heeding } from "../../base/cancel.ts"
import type { ProgressEvent } from "../../base/progress.ts"
import { parsePlatform } from "../../spec/platform.ts"
import type { OnComposeEvent } from "../compose-event.ts"
import type { ComposeDeps } from "../deps.ts"
import { each } from "../run/act.ts"
import type { Project, Service } from "../project.ts"

/** What of a project's images is fetched, and what may go wrong. */
export interface PullServicesOptions {
  /** In the place of every service's own. */
  policy?: "always" | "missing" | undefined
  ignoreFailures?: boolean
  /** Leave out what can be built. */
  ignoreBuildable?: boolean
  limit?: number | undefined
  signal?: AbortSignal | undefined
  isDryRun?: boolean
  onEvent?: OnComposeEvent
}

type Images = Awaited<ReturnType<ComposeDeps["images"]>>

/**
 * Fetches the images of these services, as `docker compose pull` does: each image once, none of a service that is only built. What cannot be fetched
 * and can be built is left for a build. Throws as `Images.pull`, after all others have ended; safe to repeat.
 */
export async function pullServices(
  deps: Pick<ComposeDeps, "images">,
  project: Project,
  options: PullServicesOptions = {},
): Promise<{ mustBuild: string[] }> {
  const { onEvent = () => {} } = options
  const images = await deps.images()
  const first = new Map<string, string>()
  const mustBuild: string[] = []
  const pulls: { name: string; service: Service; image: string }[] = []
  for (const [name, service] of Object.entries(project.services)) {
    const { image } = service
    const skip = (detail: string) => onEvent({ kind: "service", name, state: "Skipped", detail })
    if (image === undefined) {
      skip("No image to be pulled")
      continue
    }
    const policy = options.policy ?? service.pull_policy
    if (policy === "never" || policy === "build") skip("Image is not to be pulled")
    else if ((policy === "missing" || policy === "if_not_present") && !isLatest(image) && images.find(image))
      skip("Image is already present locally")
    else if (service.build && options.ignoreBuildable === true) skip("Image can be built")
    else if (first.has(image)) skip(`Image is already being pulled by ${first.get(image) ?? ""}`)
    else {
      first.set(image, name)
      pulls.push({ name, service, image })
    }
  }
  await each(pulls, { limit: options.limit }, async ({ name, service, image }) => {
    try {
      await pullOne(images, name, { image, service }, options)
    } catch (error) {
      if (service.build) mustBuild.push(name)
      else if (options.ignoreFailures !== true) throw error
    }
  })
  return { mustBuild }
}

/** Shown as the service, its layers below it. Throws as `Images.pull`. */
async function pullOne(
  images: Images,
  name: string,
  { image, service: { platform } }: { image: string; service: Service },
  { onEvent = () => {}, signal, isDryRun }: PullServicesOptions,
): Promise<void> {
  onEvent({ kind: "service", name, state: "Pulling" })
  try {
    if (isDryRun !== true)
      await heeding(signal, `pulling ${image}`, () =>
        images.pull(image, {
          ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
          ...(signal ? { signal } : {}),
          onProgress: (event) => onEvent(layerEvent(name, event)),
        }),
      )
  } catch (error) {
    onEvent({ kind: "service", name, state: "Error", detail: error instanceof Error ? error.message : String(error) })
    throw error
  }
  onEvent({ kind: "service", name, state: "Pulled" })
}

/** A layer's progress below the service `parent`. */
export function layerEvent(parent: string, progress: ProgressEvent): Parameters<OnComposeEvent>[0] {
  const { id, stage, current, total } = progress
  return {
    kind: "image",
    name: id === "" ? parent : id,
    state: stage === "added" || stage === "exists" ? "Pulled" : "Pulling",
    parent,
    progress,
    ...(current === undefined ? {} : { current }),
    ...(total === undefined ? {} : { total }),
  }
}

function isLatest(image: string): boolean {
  return !image.includes("@") && (image.endsWith(":latest") || !/:[^/]*$/.test(image))
}
