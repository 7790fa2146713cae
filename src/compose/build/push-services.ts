import { heeding } from "../../base/cancel.ts"
import type { OnComposeEvent } from "../compose-event.ts"
import { each } from "../run/act.ts"
import type { ComposeDeps } from "../deps.ts"
import type { Project } from "../project.ts"
import { layerEvent } from "./pull-services.ts"

/** How images go out. */
export interface PushServicesOptions {
  ignoreFailures?: boolean
  limit?: number | undefined
  signal?: AbortSignal | undefined
  isDryRun?: boolean
  onEvent?: OnComposeEvent
}

/**
 * Sends the images of the services that are built and named, and their other tags, to their registries. Throws as `Images.push`, after all others have
 * ended; safe to repeat.
 */
export async function pushServices(
  deps: Pick<ComposeDeps, "images">,
  project: Project,
  { onEvent = () => {}, ...options }: PushServicesOptions = {},
): Promise<void> {
  const images = await deps.images()
  const pushes = Object.entries(project.services).flatMap(([name, { image, build }]) => {
    if (build && image !== undefined) return [{ name, tags: [image, ...(build.tags ?? [])] }]
    onEvent({ kind: "service", name, state: "Skipped" })
    return []
  })
  await each(pushes, { limit: options.limit }, async ({ name, tags }) => {
    onEvent({ kind: "service", name, state: "Pushing" })
    try {
      for (const tag of tags)
        if (options.isDryRun !== true)
          await heeding(options.signal, `pushing ${tag}`, () =>
            images.push(tag, {
              ...(options.signal ? { signal: options.signal } : {}),
              onProgress: (event) => onEvent(layerEvent(name, event)),
            }),
          )
      onEvent({ kind: "service", name, state: "Pushed" })
    } catch (error) {
      onEvent({ kind: "service", name, state: "Error", detail: error instanceof Error ? error.message : String(error) })
      if (options.ignoreFailures !== true) throw error
    }
  })
}
