/** A pod's status as kubelet writes it (kubernetes: kubelet_pods.go, status/generate.go). Pure. */
import type {
  ContainerState,
  ContainerStatus,
  PodCondition,
  PodSpec,
  PodStatus,
  ResourceRequirements,
} from "kubernetes-types/core/v1"
import type { Resources } from "../../../container/container.ts"
import { conditionOf, withCondition } from "../../controllers/conditions.ts"
import { timestamp } from "../../controllers/times.ts"
import type { Attempt } from "./attempt.ts"
import { isRestarted, placedContainers, type PlacedContainer } from "./next-actions.ts"
import { statusResources, type ResizeCondition } from "./resize.ts"

/** What is told of one container. */
export interface ContainerFacts {
  latest: Attempt | undefined
  /** The one before it. */
  previous: Attempt | undefined
  /** Why it does not run: `CrashLoopBackOff`, `ErrImagePull` … */
  waiting?: { reason: string; message?: string }
  isStarted: boolean
  isReady: boolean
  /** What it left at its end. */
  message?: string
  previousMessage?: string
}

/** What a pod's status is made of. */
export interface StatusFacts {
  spec: PodSpec
  /** As it was written last. */
  before: PodStatus | undefined
  containers: ReadonlyMap<string, ContainerFacts>
  isInitialized: boolean
  hasSandbox: boolean
  podIps: readonly string[]
  hostIps: readonly string[]
  generation: number | undefined
  /** All is over for it, whatever its containers say. */
  failure?: { reason: string; message: string }
  /** It has been ended: nothing of it is started again. */
  isEnded: boolean
  /** Its containers have not the resources yet that it asks for. */
  resizing?: ResizeCondition
  now: number
}

const ID_PREFIX = "skiff://"
/** Of a container whose end nobody has seen. */
const UNKNOWN_END = { exitCode: 137, reason: "ContainerStatusUnknown", message: "The container could not be located" }

/** The status as kubelet writes it; what is not the node's to say stays as it was. Pure. */
export function podStatus(facts: StatusFacts): PodStatus {
  const { spec, before, now } = facts
  const placed = placedContainers(spec)
  const statuses = (role: (one: PlacedContainer) => boolean): ContainerStatus[] =>
    placed.filter(role).map((one) => containerStatus(one, facts))
  const inits = statuses(({ role }) => role === "init" || role === "sidecar")
  const mains = statuses(({ role }) => role === "main")
  const ephemeral = statuses(({ role }) => role === "ephemeral")
  const phase = phaseOf(facts, inits, mains)
  const conditions = podConditions({ ...facts, placed, inits, mains, phase })
  const { failure, podIps, hostIps, generation } = facts
  return {
    ...kept(before),
    ...(generation !== undefined && { observedGeneration: generation }),
    phase,
    conditions: withResize(conditions, facts),
    ...(failure && { reason: failure.reason, message: failure.message }),
    hostIP: hostIps[0],
    hostIPs: hostIps.map((ip) => ({ ip })),
    ...(podIps.length > 0 && { podIP: podIps[0], podIPs: podIps.map((ip) => ({ ip })) }),
    startTime: before?.startTime ?? timestamp(now),
    ...(inits.length > 0 && { initContainerStatuses: inits }),
    containerStatuses: mains,
    ...(ephemeral.length > 0 && { ephemeralContainerStatuses: ephemeral }),
    qosClass: qosClass(spec),
  } as PodStatus
}

/** Only as long as there is something to say. */
function withResize(conditions: readonly PodCondition[], { resizing, before, now }: StatusFacts): PodCondition[] {
  const rest = conditions.filter(({ type }) => !type.startsWith("PodResize"))
  if (resizing === undefined) return rest
  const { type, reason, message } = resizing
  const last = conditionOf(before?.conditions, type)
  const lastTransitionTime = last?.lastTransitionTime ?? timestamp(now)
  return [
    ...rest,
    { type, status: "True", reason, message, lastProbeTime: null, lastTransitionTime } as unknown as PodCondition,
  ]
}

/** What others have written. */
function kept(before: PodStatus | undefined): Partial<PodStatus> {
  const { nominatedNodeName } = before ?? {}
  return nominatedNodeName === undefined ? {} : { nominatedNodeName }
}

function containerStatus({ container, role }: PlacedContainer, facts: StatusFacts): ContainerStatus {
  const { name, image = "" } = container
  const known = facts.containers.get(name)
  const before = statusBefore(facts.before, name)
  const latest = known?.latest
  if (known === undefined || latest === undefined) return unmade({ container, role }, facts, known)
  const isRunning = latest.state.is === "running"
  const state: ContainerState =
    known.waiting && !isRunning ? { waiting: known.waiting } : stateOf(latest, known.message)
  const ended = known.waiting && !isRunning ? latest : known.previous
  const endedMessage = known.waiting && !isRunning ? known.message : known.previousMessage
  const lastState =
    ended?.state.is === "ended" ? stateOf(ended, endedMessage) : keptLast(before, latest.id, latest.attempt)
  return {
    name,
    state,
    lastState,
    ready: isRunning ? known.isReady : role === "init" && latest.state.is === "ended" && latest.state.exitCode === 0,
    restartCount: latest.attempt,
    image: image || latest.image,
    imageID: latest.imageId,
    containerID: `${ID_PREFIX}${latest.id}`,
    started: isRunning && known.isStarted,
    ...(isRunning && container.resources && has(container.resources, latest.resources)),
  } as ContainerStatus
}

/** What it has by now, which may be another thing than what it shall have. */
function has(asked: ResourceRequirements, resources: Resources): object {
  const found = statusResources(asked, resources)
  return found === undefined ? {} : { resources: found, ...(found.requests && { allocatedResources: found.requests }) }
}

/** One of which the engine has nothing: not made yet, or removed by somebody. */
function unmade(
  { container: { name, image = "" }, role }: Pick<PlacedContainer, "container" | "role">,
  facts: StatusFacts,
  known: ContainerFacts | undefined,
): ContainerStatus {
  const before = statusBefore(facts.before, name)
  const isOver = facts.isEnded || facts.failure !== undefined
  const base = {
    name,
    ready: false,
    restartCount: before?.restartCount ?? 0,
    image,
    imageID: before?.imageID ?? "",
    started: false,
    lastState: before?.lastState ?? {},
    ...(before?.containerID !== undefined && { containerID: before.containerID }),
  }
  if (before?.state?.terminated && known?.waiting === undefined)
    return { ...base, state: before.state, ready: role === "init" && before.state.terminated.exitCode === 0 }
  if (isOver && before?.state?.running)
    return { ...base, state: { terminated: { ...UNKNOWN_END, containerID: before.containerID } } }
  const isBlocked = role === "main" && !facts.isInitialized && (facts.spec.initContainers ?? []).length > 0
  const waiting = known?.waiting ?? { reason: isBlocked ? "PodInitializing" : "ContainerCreating" }
  const lastState = before?.state?.terminated
    ? { terminated: before.state.terminated }
    : before?.state?.running
      ? { terminated: { ...UNKNOWN_END, containerID: before.containerID } }
      : base.lastState
  return { ...base, state: { waiting }, lastState }
}

/** Of the attempt before, once the engine has it no more. */
function keptLast(before: ContainerStatus | undefined, id: string, attempt: number): ContainerState {
  if (attempt === 0) return {}
  if (before?.containerID === `${ID_PREFIX}${id}`) return before.lastState ?? {}
  return before?.state?.terminated ? { terminated: before.state.terminated } : (before?.lastState ?? {})
}

function statusBefore(before: PodStatus | undefined, name: string): ContainerStatus | undefined {
  return [
    ...(before?.containerStatuses ?? []),
    ...(before?.initContainerStatuses ?? []),
    ...(before?.ephemeralContainerStatuses ?? []),
  ].find((one) => one.name === name)
}

function stateOf({ id, state }: Attempt, message: string | undefined): ContainerState {
  switch (state.is) {
    case "created":
      return { waiting: { reason: "ContainerCreating" } }
    case "running":
      return { running: { startedAt: timestamp(state.startedAt) } }
    case "ended": {
      const { exitCode, startedAt, finishedAt, error } = state
      const text = error ?? message
      return {
        terminated: {
          exitCode,
          reason: endReason(state),
          ...(text !== undefined && text !== "" && { message: text }),
          startedAt: timestamp(startedAt ?? finishedAt),
          finishedAt: timestamp(finishedAt),
          containerID: `${ID_PREFIX}${id}`,
        },
      }
    }
  }
}

function endReason(state: Extract<Attempt["state"], { is: "ended" }>): string {
  if (state.startedAt === undefined) return "ContainerCannotRun"
  if (state.isOutOfMemory) return "OOMKilled"
  return state.exitCode === 0 ? "Completed" : "Error"
}

/** kubelet_pods.go, getPhase. */
function phaseOf(
  { spec, failure, before, isInitialized, isEnded }: StatusFacts,
  inits: readonly ContainerStatus[],
  mains: readonly ContainerStatus[],
): string {
  // what has ended once has ended (status_manager.go)
  if (before?.phase === "Failed" || before?.phase === "Succeeded") return before.phase
  if (failure !== undefined) return "Failed"
  const policy = spec.restartPolicy ?? "Always"
  const roles = new Map(placedContainers(spec).map(({ container, role }) => [container.name, role]))
  const failedInit = inits.some(
    ({ name, state }) => roles.get(name) === "init" && (state?.terminated?.exitCode ?? 0) !== 0 && policy === "Never",
  )
  if (failedInit) return "Failed"
  const running = mains.filter(({ state }) => state?.running).length
  const ended = mains.filter(({ state, lastState }) => state?.terminated ?? (state?.waiting && lastState?.terminated))
  if (!isInitialized && running === 0 && ended.length === 0) return "Pending"
  if (running + ended.length < mains.length) return isEnded && running === 0 ? "Failed" : "Pending"
  if (running > 0) return "Running"
  const codes = ended.map(({ state, lastState }) => (state?.terminated ?? lastState?.terminated)?.exitCode ?? 0)
  if (isEnded) return codes.every((code) => code === 0) ? "Succeeded" : "Failed"
  if (codes.some((code) => isRestarted(policy, "main", code))) return "Running"
  return codes.every((code) => code === 0) ? "Succeeded" : "Failed"
}

interface ConditionFacts extends StatusFacts {
  placed: readonly PlacedContainer[]
  inits: readonly ContainerStatus[]
  mains: readonly ContainerStatus[]
  phase: string
}

function podConditions(facts: ConditionFacts): PodCondition[] {
  const { before, spec, now, phase, inits, mains, placed } = facts
  const hasEnded = phase === "Succeeded" || phase === "Failed"
  const sidecars = new Set(placed.filter(({ role }) => role === "sidecar").map(({ container }) => container.name))
  const waitingInits = inits.filter(({ name, started, ready }) => (sidecars.has(name) ? !started : !ready))
  const counted = [...inits.filter(({ name }) => sidecars.has(name)), ...mains]
  const unready = counted.filter(({ ready }) => !ready).map(({ name }) => name)
  const initialized =
    facts.isInitialized || (hasEnded && phase === "Succeeded")
      ? done("Initialized", phase === "Succeeded" ? "PodCompleted" : undefined)
      : missing(
          "Initialized",
          "ContainersNotInitialized",
          `containers with incomplete status: [${names(waitingInits)}]`,
        )
  const containersReady = hasEnded
    ? missing("ContainersReady", phase === "Succeeded" ? "PodCompleted" : "PodFailed")
    : unready.length === 0
      ? done("ContainersReady")
      : missing("ContainersReady", "ContainersNotReady", `containers with unready status: [${unready.join(" ")}]`)
  const gates = (spec.readinessGates ?? []).filter(
    ({ conditionType }) => conditionOf(before?.conditions, conditionType)?.status !== "True",
  )
  const ready =
    containersReady.status !== "True"
      ? { ...containersReady, type: "Ready" }
      : gates.length === 0
        ? done("Ready")
        : missing(
            "Ready",
            "ReadinessGatesNotReady",
            gates
              .map(({ conditionType }) =>
                conditionOf(before?.conditions, conditionType) === undefined
                  ? `corresponding condition of pod readiness gate "${conditionType}" does not exist.`
                  : `the status of pod readiness gate "${conditionType}" is not "True", but ${conditionOf(before?.conditions, conditionType)?.status}`,
              )
              .join(", "),
          )
  const started =
    facts.hasSandbox && !hasEnded ? done("PodReadyToStartContainers") : missing("PodReadyToStartContainers")
  const all = [started, initialized, ready, containersReady, done("PodScheduled")]
  let conditions = [...(before?.conditions ?? [])]
  for (const one of all) conditions = withCondition(conditions, one, now)
  return ordered(conditions)
}

const ORDER = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"]

function ordered(conditions: readonly PodCondition[]): PodCondition[] {
  return conditions.toSorted((a, b) => rank(a) - rank(b))
}

function rank({ type }: PodCondition): number {
  const at = ORDER.indexOf(type)
  return at < 0 ? ORDER.length : at
}

const names = (all: readonly ContainerStatus[]): string => all.map(({ name }) => name).join(" ")

function done(type: string, reason?: string): PodCondition {
  return { type, status: "True", ...(reason !== undefined && { reason }) }
}

function missing(type: string, reason?: string, message?: string): PodCondition {
  return {
    type,
    status: "False",
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
  }
}

const isSet = (value: string | undefined): boolean => value !== undefined && !/^0+[a-zA-Z]*$/.test(value)

/** kubernetes.io, "Pod Quality of Service Classes". */
export function qosClass({ containers, initContainers = [] }: PodSpec): string {
  const all = [...containers, ...initContainers].map(({ resources = {} }) => resources)
  const kinds = ["cpu", "memory"] as const
  if (all.every(({ limits, requests }) => !kinds.some((kind) => isSet(limits?.[kind]) || isSet(requests?.[kind]))))
    return "BestEffort"
  const isGuaranteed = all.every(({ limits, requests }) =>
    kinds.every((kind) => isSet(limits?.[kind]) && (requests?.[kind] ?? limits?.[kind]) === limits?.[kind]),
  )
  return isGuaranteed ? "Guaranteed" : "Burstable"
}
