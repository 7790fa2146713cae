import { LABEL } from "../labels.ts"
import { nameInProject, type ProjectContainer } from "../project-containers.ts"
import type { Reason } from "./reason.ts"

/** What is done to one container of a service. */
export type Step =
  /** `restart`: it stands still while a dependency is replaced. */
  | { action: "keep" | "start" | "restart"; container: ProjectContainer; number: number; reason: Reason }
  /** A new one of the same number and name takes its place. */
  | { action: "recreate"; container: ProjectContainer; number: number; reason: Reason }
  | { action: "create"; number: number; reason: Reason }
  | { action: "remove"; container: ProjectContainer; number: number; reason: Reason }
  /** A new one was made, and the one that it replaces (where it is there) is still to be removed. */
  | { action: "finish"; container: ProjectContainer; replaced?: ProjectContainer; number: number; reason: Reason }

/** All of one service, in the order of its containers' numbers. */
export interface ServicePlan {
  service: string
  steps: readonly Step[]
}

/** Which containers are replaced: those that are not what is wanted, all, or none. */
export type Recreation = "diverged" | "always" | "never"

/** How a service is planned. */
export interface PlanRules {
  /** How many containers it shall have. */
  wanted: number
  recreate: Recreation
  /** Why a container is not what is wanted. */
  divergence(one: ProjectContainer): Reason | undefined
}

/** Decides what becomes of the containers of a service (without its one-offs). Pure. */
export function planService(service: string, found: readonly ProjectContainer[], rules: PlanRules): ServicePlan {
  const { kept, steps } = unfinished(found, rules)
  const reasonOf = (one: ProjectContainer): Reason | undefined =>
    rules.recreate === "always" ? { kind: "forced" } : rules.divergence(one)
  const inOrder = kept
    .map((container) => ({ container, reason: reasonOf(container) }))
    // what is as it should be stays first, then the lowest numbers: docker's
    .toSorted(
      (a, b) =>
        Number(a.reason !== undefined) - Number(b.reason !== undefined) || compareNumbers(a.container, b.container),
    )
  const room = Math.max(0, rules.wanted - steps.filter(({ action }) => action === "finish").length)
  for (const [index, { container, reason }] of inOrder.entries()) {
    const { number } = container
    if (index >= room)
      steps.push({ action: "remove", container, number, reason: { kind: "surplus", wanted: rules.wanted } })
    else if (reason === undefined) steps.push(keptStep(container, { kind: "unchanged" }))
    else if (rules.recreate === "never") steps.push(keptStep(container, { kind: "kept" }))
    else steps.push({ action: "recreate", container, number, reason })
  }
  const highest = Math.max(0, ...found.map(({ number }) => number))
  for (let count = Math.min(inOrder.length, room); count < room; count++) {
    const number = highest + 1 + count - Math.min(inOrder.length, room)
    steps.push({ action: "create", number, reason: { kind: "missing" } })
  }
  return { service, steps: steps.toSorted((a, b) => a.number - b.number) }
}

/** Runs, or did not start yet: what an `up` starts later. */
function keptStep(container: ProjectContainer, reason: Reason): Step {
  const { status } = container.container.state
  const isRunning = status === "running" || status === "restarting"
  if (isRunning) return { action: "keep", container, number: container.number, reason }
  return {
    action: "start",
    container,
    number: container.number,
    reason: reason.kind === "unchanged" ? { kind: "stopped" } : reason,
  }
}

const REPLACEMENT = /^[0-9a-f]{12}_/

/** The name that a container gets which was made to replace another; undefined: it has it, or replaces none. */
export function nameToCome({ container }: ProjectContainer): string | undefined {
  const isReplacement = container.options.labels[LABEL.replace] !== undefined && REPLACEMENT.test(container.name)
  return isReplacement ? container.name.replace(REPLACEMENT, "") : undefined
}

/** Replacements that were interrupted: one that is what is wanted is finished, any other goes. */
function unfinished(
  found: readonly ProjectContainer[],
  { divergence }: PlanRules,
): { kept: ProjectContainer[]; steps: Step[] } {
  const steps: Step[] = []
  const gone = new Set<ProjectContainer>()
  for (const one of found.filter((each) => nameToCome(each) !== undefined)) {
    gone.add(one)
    const replaced = found.find((other) => nameInProject(other) === one.container.options.labels[LABEL.replace])
    const { number } = one
    const isFirst = replaced === undefined || !gone.has(replaced)
    if (divergence(one) !== undefined || !isFirst) {
      steps.push({ action: "remove", container: one, number, reason: { kind: "unfinished" } })
      continue
    }
    if (replaced) gone.add(replaced)
    steps.push({
      action: "finish",
      container: one,
      number,
      reason: { kind: "unfinished" },
      ...(replaced && { replaced }),
    })
  }
  return { kept: found.filter((one) => !gone.has(one)), steps }
}

function compareNumbers(a: ProjectContainer, b: ProjectContainer): number {
  return a.number - b.number || a.container.createdAt.getTime() - b.container.createdAt.getTime()
}
