/** What is to be done next for the containers of a pod (kubernetes: kuberuntime_manager.go, computePodActions). Pure. */
import type { Container, PodSpec } from "kubernetes-types/core/v1"
import type { Attempt } from "./attempt.ts"

export type Role = "init" | "sidecar" | "main"

/** A container of the pod's spec, in its place. */
export interface PlacedContainer {
  container: Container
  /** `spec.containers[0]`. */
  path: string
  role: Role | "ephemeral"
}

/** What is known of one container. */
export interface ContainerView {
  name: string
  role: Role
  /** The newest in the sandbox as it is now; undefined: there is none. */
  latest: Attempt | undefined
  /** It has ended, by the object's status; the engine has it no more. */
  endedWith?: number
  /** It runs, its postStart is done and its startup probe has succeeded. */
  isStarted: boolean
  /** It is not started again before. */
  backOffUntil?: number
}

export interface NextActions {
  /** Names of those to start now, in order. */
  start: string[]
  /** When a back-off ends. */
  lookAt?: number
  /** All init containers have done what they were to do. */
  isInitialized: boolean
  /** An init container has failed for good. */
  hasFailed: boolean
}

const exitOf = ({ latest, endedWith }: ContainerView): number | undefined =>
  latest?.state.is === "ended" ? latest.state.exitCode : latest === undefined ? endedWith : undefined

const isRunning = ({ latest }: ContainerView): boolean => latest?.state.is === "running"

/** In the order of the spec. */
export function placedContainers(spec: PodSpec | undefined): PlacedContainer[] {
  const { initContainers = [], containers = [], ephemeralContainers = [] } = spec ?? { containers: [] }
  return [
    ...initContainers.map((container, index) => ({
      container,
      path: `spec.initContainers[${index}]`,
      role: container.restartPolicy === "Always" ? ("sidecar" as const) : ("init" as const),
    })),
    ...containers.map((container, index) => ({ container, path: `spec.containers[${index}]`, role: "main" as const })),
    ...ephemeralContainers.map((container, index) => ({
      container: container as Container,
      path: `spec.ephemeralContainers[${index}]`,
      role: "ephemeral" as const,
    })),
  ]
}

/** Whether one that has ended so is started again. */
export function isRestarted(policy: string, role: Role, exitCode: number): boolean {
  if (role === "sidecar") return true
  if (role === "init") return exitCode !== 0 && policy !== "Never"
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0)
}

/** `views` in the order of the spec. */
export function nextActions(policy: string, views: readonly ContainerView[], now: number): NextActions {
  const mains = views.filter(({ role }) => role === "main")
  const hasRun = mains.some((view) => view.latest !== undefined || view.endedWith !== undefined)
  const actions: NextActions = { start: [], isInitialized: true, hasFailed: false }
  const consider = (view: ContainerView): void => {
    const until = view.backOffUntil
    if (until === undefined || until <= now) actions.start.push(view.name)
    else actions.lookAt = Math.min(actions.lookAt ?? until, until)
  }
  for (const view of views.filter(({ role }) => role !== "main")) {
    if (view.role === "sidecar") {
      if (!isRunning(view)) consider(view)
      if (hasRun || view.isStarted) continue
      return { ...actions, isInitialized: false }
    }
    const code = exitOf(view)
    if (hasRun || code === 0) continue
    if (isRunning(view)) return { ...actions, isInitialized: false }
    if (code === undefined || isRestarted(policy, "init", code)) consider(view)
    else actions.hasFailed = true
    return { ...actions, isInitialized: false }
  }
  for (const view of mains) {
    if (isRunning(view)) continue
    const code = exitOf(view)
    if (code === undefined || isRestarted(policy, "main", code)) consider(view)
  }
  return actions
}
