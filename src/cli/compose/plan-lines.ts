import { sayReason, type Project, type ProjectPlan, type ResourceStep, type Step } from "../../compose/compose.ts"

/** One thing of a plan, as it is shown. */
export interface PlanLine {
  /** `Container p-web-1`. */
  id: string
  action: "keep" | "start" | "restart" | "create" | "recreate" | "finish" | "remove" | "pull" | "build" | "leave"
  reason: string
}

const IMAGE_REASONS = {
  missing: "it is not here",
  policy: "its policy says so",
  platform: "it is here for another platform",
  age: "it is older than its policy lets it be",
} as const

/** All of a plan, in the order in which it is done. Pure. */
export function planLines(plan: ProjectPlan, { name, services }: Project, separator: string): PlanLine[] {
  return [
    ...plan.images.map(({ image, action, reason }): PlanLine => ({
      id: `Image ${image}`,
      action: action === "build" ? "build" : "pull",
      reason: IMAGE_REASONS[reason],
    })),
    ...plan.networks.map((step) => resourceLine("Network", step)),
    ...plan.volumes.map((step) => resourceLine("Volume", step)),
    ...plan.orphans.map(({ container }): PlanLine => ({
      id: `Container ${container.name}`,
      action: plan.removesOrphans ? "remove" : "leave",
      reason: "its service is not in the file",
    })),
    ...plan.services.flatMap(({ service, steps }) =>
      steps.map((step): PlanLine => ({
        id: `Container ${nameOf(step) ?? services[service]?.container_name ?? [name, service, step.number].join(separator)}`,
        action: step.action,
        reason: sayReason(step.reason),
      })),
    ),
  ]
}

const RESOURCE_REASONS = {
  keep: "nothing changed",
  create: "there is none",
  recreate: "the file says otherwise than what it was made of",
  differs: "the file says otherwise than what it was made of; its data would be lost",
} as const

function resourceLine(kind: string, { name, action }: ResourceStep): PlanLine {
  return { id: `${kind} ${name}`, action: action === "differs" ? "leave" : action, reason: RESOURCE_REASONS[action] }
}

function nameOf(step: Step): string | undefined {
  return "container" in step ? step.container.container.name : undefined
}

/** In columns: what, its action, and why. Pure. */
export function planText(lines: readonly PlanLine[]): string[] {
  const width = Math.max(0, ...lines.map(({ id }) => id.length))
  return lines.map(({ id, action, reason }) => `${id.padEnd(width)}  ${action.padEnd(8)}  ${reason}`)
}

/** Whether it says that something is to be done. */
export function isChange({ action }: PlanLine): boolean {
  return action !== "keep" && action !== "leave"
}
