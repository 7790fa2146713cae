import { sayReason, type Project } from "../../compose/compose.ts"
import type { ComposeSession } from "./compose-session.ts"

/** Services with a container that is not what their file says, each with the first reason. Throws as a plan does. */
export async function changedServices(
  compose: ComposeSession,
  project: Project,
  services: readonly string[],
): Promise<{ service: string; reason: string }[]> {
  const options = { services, withoutDependencies: true, compatibility: compose.separator === "_" }
  const plan = await (await compose.compose()).plan(project, options)
  return plan.services.flatMap(({ service, steps }) => {
    const step = steps.find(({ action }) => action === "recreate")
    return step ? [{ service, reason: sayReason(step.reason) }] : []
  })
}
