import type { ComposeDeps } from "../deps.ts"
import type { Project } from "../project.ts"
import { pushServices } from "../build/push-services.ts"
import { bindMountQuestion, checkEnvironment, environmentQuestion, refuseBuildOnly } from "./checks.ts"
import { composeLayer, projectLayers } from "./project-layers.ts"
import { pushImages } from "./push-images.ts"
import { pushLayers } from "./push-layers.ts"
import type { PublishOptions } from "./publish-options.ts"
import { secretsQuestion } from "./secrets-question.ts"

/** See `Compose.publish`. Asks in docker's order. */
export async function publishProject(
  deps: Pick<ComposeDeps, "images" | "registries">,
  project: Project,
  reference: string,
  options: PublishOptions,
): Promise<boolean> {
  const whole: Project = { ...project, services: { ...project.services, ...project.disabledServices } }
  const {
    withEnvironment = false,
    lockImages,
    isDryRun = false,
    ask = async () => true,
    limit,
    signal,
    onEvent,
  } = options
  refuseBuildOnly(whole)
  const layers = await projectLayers(whole, { withEnvironment })
  for (const question of [bindMountQuestion(whole), secretsQuestion(whole, layers)])
    if (question !== undefined && !(await ask(question))) return false
  if (!withEnvironment) checkEnvironment(whole, { mayHaveVariables: options.ask === undefined })
  const environment = environmentQuestion(whole)
  if (environment !== undefined && !(await ask(environment))) return false
  await pushServices(deps, whole, { ignoreFailures: true, isDryRun, limit, signal, ...(onEvent && { onEvent }) })
  const locked = await lockImages?.()
  if (locked) layers.push(composeLayer("image-digests.yaml", Buffer.from(locked.file)))
  if (isDryRun) return true
  const registries = await deps.registries()
  const published = await pushLayers(registries, reference, layers, options)
  if (locked && options.withImages === true)
    await pushImages(registries, reference, locked.images, { project: published, signal })
  return true
}
