import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerStatus,
  HPAScalingRules,
  MetricSpec,
  MetricTarget,
} from "kubernetes-types/autoscaling/v2"
import type { Pod } from "kubernetes-types/core/v1"
import { apiVersionOf, resourceKey } from "../objects/kinds.ts"
import { keyOf } from "./cluster.ts"
import { withCondition } from "./conditions.ts"
import type { Controller } from "./controller.ts"
import type { Kept } from "./kept.ts"
import type { ControllerDeps } from "./pod-control.ts"
import { isActive, isReady, type KeptPod } from "./pod-state.ts"
import { bytesText, milliCpu, milliText, quantity } from "./quantities.ts"
import { selects } from "./selector.ts"
import { timestamp } from "./times.ts"

const RESOURCE = "horizontalpodautoscalers.autoscaling"
const COMPONENT = "horizontal-pod-autoscaler"
/** Kubernetes looks every 15 s; one machine is read for less. */
export const SYNC_MS = 5_000
const TOLERANCE = 0.1
const DEFAULT_METRICS: MetricSpec[] = [
  { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } },
]
const DEFAULT_UP: HPAScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: "Max",
  policies: [
    { type: "Pods", value: 4, periodSeconds: 15 },
    { type: "Percent", value: 100, periodSeconds: 15 },
  ],
}
const DEFAULT_DOWN: HPAScalingRules = {
  stabilizationWindowSeconds: 300,
  selectPolicy: "Max",
  policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
}

type KeptScaler = Kept<HorizontalPodAutoscaler>
type Resource = "cpu" | "memory"

/** What containers use now: thousandths of a processor, and bytes. By pod and container; undefined: not read yet. */
export interface UsageReader {
  usageOf(podUid: string): ReadonlyMap<string, { cpuMilli: number; memoryBytes: number }> | undefined
  /** Somebody reads it: it is kept up to date from now on for a while. */
  want(): void
}

interface History {
  /** What was recommended, and when. */
  recommendations: { at: number; replicas: number }[]
  /** How it was scaled, and when. */
  changes: { at: number; by: number }[]
}

export interface MetricReading {
  spec: MetricSpec
  /** Replicas that this metric asks for. */
  wanted: number
  current: object
}

interface ResourceTarget {
  name: Resource
  target: MetricTarget
}

/** How many replicas one metric asks for (kubernetes.io, "Horizontal Pod Autoscaling", algorithm details). Undefined: nothing can be said. Pure. */
export function readMetric(
  { name, target }: ResourceTarget,
  replicas: number,
  pods: readonly { isReady: boolean; used: number | undefined; requested: number }[],
): { wanted: number; average: number; utilization: number | undefined } | undefined {
  const measured = pods.filter(({ isReady: ready, used }) => used !== undefined && (ready || name === "memory"))
  if (measured.length === 0) return undefined
  const used = measured.reduce((sum, one) => sum + (one.used ?? 0), 0)
  const average = used / measured.length
  const requested = measured.reduce((sum, one) => sum + one.requested, 0)
  const utilization = requested > 0 ? (used * 100) / requested : undefined
  const value = name === "cpu" ? milliCpu(target.averageValue) : quantity(target.averageValue)
  const ratio =
    target.type === "Utilization"
      ? utilization === undefined
        ? undefined
        : utilization / (target.averageUtilization ?? 80)
      : average / value
  if (ratio === undefined || !Number.isFinite(ratio)) return undefined
  if (Math.abs(ratio - 1) <= TOLERANCE) return { wanted: replicas, average, utilization }
  // what is not measured yet is taken to use nothing when it would add, and all that is asked when it would take away
  const missing = pods.length - measured.length
  const rebased = missing === 0 ? ratio : (ratio * measured.length + (ratio > 1 ? 0 : missing)) / pods.length
  if ((ratio > 1 && rebased < 1) || (ratio < 1 && rebased > 1) || Math.abs(rebased - 1) <= TOLERANCE)
    return { wanted: replicas, average, utilization }
  return { wanted: Math.ceil(rebased * pods.length - 1e-9), average, utilization }
}

/** How far one step may go, by the policies of its direction. Pure. */
export function boundedStep(
  replicas: number,
  wanted: number,
  { rules, changes, now }: { rules: HPAScalingRules; changes: History["changes"]; now: number },
): number {
  if (wanted === replicas) return replicas
  const isUp = wanted > replicas
  if (rules.selectPolicy === "Disabled") return replicas
  const limits = (rules.policies ?? []).map(({ type, value, periodSeconds }) => {
    const since = now - periodSeconds * 1000
    const moved = changes.filter(({ at, by }) => at > since && by > 0 === isUp).reduce((sum, { by }) => sum + by, 0)
    const start = replicas - moved
    const step = type === "Percent" ? Math.ceil((start * value) / 100) : value
    return isUp ? start + step : start - step
  })
  if (limits.length === 0) return wanted
  const isMost = rules.selectPolicy !== "Min"
  const limit = isUp === isMost ? Math.max(...limits) : Math.min(...limits)
  return isUp ? Math.min(wanted, Math.max(limit, replicas)) : Math.max(wanted, Math.min(limit, replicas))
}

/** Scales what is loaded up, and down again when it has been idle for a while. */
export function autoscalerController(deps: ControllerDeps, usage: UsageReader): Controller {
  const { cluster, recorder } = deps
  const histories = new Map<string, History>()
  return {
    name: COMPONENT,
    *keysOf({ resource, object, type }) {
      if (resource !== RESOURCE) return
      if (type === "DELETED") histories.delete(object.metadata.uid)
      // its own status is no reason to look again
      if (
        type === "ADDED" ||
        object.metadata.generation !== (object as unknown as KeptScaler).status?.observedGeneration
      )
        yield keyOf(object.metadata.namespace, object.metadata.name)
    },
    reconcile(key) {
      const scaler = cluster.byKey<HorizontalPodAutoscaler>(RESOURCE, key)
      if (scaler?.spec === undefined || scaler.metadata.deletionTimestamp !== undefined) return undefined
      usage.want()
      scale(scaler)
      return SYNC_MS
    },
  }

  function targetOf({ spec, metadata: { namespace } }: KeptScaler) {
    const ref = spec?.scaleTargetRef
    const kind = cluster.objects
      .kinds()
      .find((one) => one.kind === ref?.kind && apiVersionOf(one).split("/")[0] === (ref.apiVersion ?? "").split("/")[0])
    const resource = kind && resourceKey(kind)
    const object =
      resource === undefined
        ? undefined
        : cluster.find<{ spec?: { replicas?: number; selector?: unknown }; status?: { replicas?: number } }>(
            resource,
            ref?.name ?? "",
            namespace,
          )
    return object && resource ? { resource, object } : undefined
  }

  function scale(scaler: KeptScaler): void {
    const now = deps.now()
    const spec = scaler.spec
    if (spec === undefined) return
    const target = targetOf(scaler)
    if (target === undefined) {
      const message = `the HPA controller was unable to get the target's current scale: ${spec.scaleTargetRef.kind} "${spec.scaleTargetRef.name}" not found`
      recorder.tell(scaler, { type: "Warning", reason: "FailedGetScale", message, component: COMPONENT })
      return condition(scaler, { type: "AbleToScale", status: "False", reason: "FailedGetScale", message })
    }
    const { object, resource } = target
    const replicas = object.spec?.replicas ?? 1
    const able = {
      type: "AbleToScale",
      status: "True",
      reason: "ReadyForNewScale",
      message: "recommended size matches current size",
    }
    if (replicas === 0 && (spec.minReplicas ?? 1) > 0)
      return condition(scaler, {
        type: "ScalingActive",
        status: "False",
        reason: "ScalingDisabled",
        message: "scaling is disabled since the replica count of the target is zero",
      })
    const pods = cluster
      .list<Pod>("pods", scaler.metadata.namespace)
      .filter((pod) => isActive(pod) && selects(object.spec?.selector as never, pod.metadata.labels))
    const readings = (spec.metrics ?? DEFAULT_METRICS).flatMap((metric) => readingOf(metric, replicas, pods) ?? [])
    const [first] = readings
    if (first === undefined) {
      const message =
        "the HPA was unable to compute the replica count: no metrics of running pods, or no requests of theirs"
      recorder.tell(scaler, { type: "Warning", reason: "FailedGetResourceMetric", message, component: COMPONENT })
      return condition(
        scaler,
        { type: "ScalingActive", status: "False", reason: "FailedGetResourceMetric", message },
        able,
      )
    }
    const most = readings.reduce((best, one) => (one.wanted > best.wanted ? one : best), first)
    const { wanted, limited } = bounded(scaler, { replicas, asked: most.wanted, now })
    if (wanted !== replicas) {
      // as in a cluster by the part `scale`: who applies replicas again is told of it by that name
      cluster.patch<Kept<{ spec?: { replicas?: number } }>>(
        resource,
        object,
        (current) => ({ ...current, spec: { ...current.spec, replicas: wanted } }),
        "scale",
      )
      historyOf(scaler).changes.push({ at: now, by: wanted - replicas })
      const why = `${most.spec.resource?.name ?? most.spec.containerResource?.name} resource utilization (percentage of request) ${wanted > replicas ? "above" : "below"} target`
      const message = `New size: ${wanted}; reason: ${wanted > replicas ? why : "All metrics below target"}`
      recorder.tell(scaler, { reason: "SuccessfulRescale", message, component: COMPONENT })
    }
    cluster.patchStatus<HorizontalPodAutoscaler>(RESOURCE, scaler, ({ status, metadata }) => {
      let conditions = withCondition(
        status?.conditions,
        wanted === replicas
          ? able
          : {
              ...able,
              reason: "SucceededRescale",
              message: `the HPA controller was able to update the target scale to ${wanted}`,
            },
        now,
      )
      conditions = withCondition(
        conditions,
        {
          type: "ScalingActive",
          status: "True",
          reason: "ValidMetricFound",
          message: `the HPA was able to successfully calculate a replica count from ${most.spec.resource?.name ?? "container"} resource utilization (percentage of request)`,
        },
        now,
      )
      conditions = withCondition(conditions, { type: "ScalingLimited", ...limited }, now)
      return {
        observedGeneration: metadata.generation,
        ...(wanted !== replicas
          ? { lastScaleTime: timestamp(now) }
          : status?.lastScaleTime && { lastScaleTime: status.lastScaleTime }),
        currentReplicas: object.status?.replicas ?? 0,
        desiredReplicas: wanted,
        currentMetrics: readings.map(({ current }) => current),
        conditions,
      } as HorizontalPodAutoscalerStatus
    })
  }

  function readingOf(metric: MetricSpec, replicas: number, pods: readonly KeptPod[]): MetricReading | undefined {
    const source = metric.type === "ContainerResource" ? metric.containerResource : metric.resource
    if (source === undefined || (source.name !== "cpu" && source.name !== "memory")) return undefined
    const name = source.name
    const container = metric.containerResource?.container
    const read = readMetric(
      { name, target: source.target },
      replicas,
      pods.map((pod) => measure(pod, name, container)),
    )
    if (read === undefined) return undefined
    const { average, utilization } = read
    const value = {
      averageValue: name === "cpu" ? milliText(Math.round(average)) : bytesText(Math.round(average)),
      ...(utilization !== undefined && { averageUtilization: Math.round(utilization) }),
    }
    return {
      spec: metric,
      wanted: read.wanted,
      current:
        container === undefined
          ? { type: "Resource", resource: { name, current: value } }
          : { type: "ContainerResource", containerResource: { name, container, current: value } },
    }
  }

  function measure(pod: KeptPod, name: Resource, container: string | undefined) {
    const used = usage.usageOf(pod.metadata.uid)
    const counted = (pod.spec?.containers ?? []).filter((one) => container === undefined || one.name === container)
    const of = (one: { cpuMilli: number; memoryBytes: number }): number =>
      name === "cpu" ? one.cpuMilli : one.memoryBytes
    const requested = counted.reduce((sum, { resources }) => {
      const text = resources?.requests?.[name] ?? resources?.limits?.[name]
      return sum + (name === "cpu" ? milliCpu(text) : quantity(text))
    }, 0)
    const isRead = used !== undefined && counted.some((one) => used.has(one.name))
    const sum = counted.reduce((total, one) => total + of(used?.get(one.name) ?? { cpuMilli: 0, memoryBytes: 0 }), 0)
    return { isReady: isReady(pod), used: isRead ? sum : undefined, requested }
  }

  function historyOf({ metadata: { uid } }: KeptScaler): History {
    let history = histories.get(uid)
    if (history === undefined) histories.set(uid, (history = { recommendations: [], changes: [] }))
    return history
  }

  /** By the windows, the policies and the bounds of its spec. */
  function bounded(
    scaler: KeptScaler,
    { replicas, asked, now }: { replicas: number; asked: number; now: number },
  ): { wanted: number; limited: { status: string; reason: string; message: string } } {
    const { minReplicas = 1, maxReplicas = 1, behavior } = scaler.spec ?? {}
    const [up, down] = [
      { ...DEFAULT_UP, ...behavior?.scaleUp },
      { ...DEFAULT_DOWN, ...behavior?.scaleDown },
    ]
    const history = historyOf(scaler)
    history.recommendations.push({ at: now, replicas: asked })
    const longest = Math.max(up.stabilizationWindowSeconds ?? 0, down.stabilizationWindowSeconds ?? 0) * 1000
    history.recommendations = history.recommendations.filter(({ at }) => at >= now - longest)
    history.changes = history.changes.filter(({ at }) => at >= now - 1_800_000)
    const within = (seconds = 0): number[] =>
      history.recommendations.filter(({ at }) => at >= now - seconds * 1000).map((one) => one.replicas)
    const upTo = Math.min(asked, ...within(up.stabilizationWindowSeconds))
    const downTo = Math.max(asked, ...within(down.stabilizationWindowSeconds))
    const stable = replicas < upTo ? upTo : replicas > downTo ? downTo : replicas
    const rules = stable > replicas ? up : down
    const stepped = boundedStep(replicas, stable, { rules, changes: history.changes, now })
    const wanted = Math.min(maxReplicas, Math.max(minReplicas, stepped))
    if (wanted !== stepped)
      return {
        wanted,
        limited:
          wanted === maxReplicas
            ? {
                status: "True",
                reason: "TooManyReplicas",
                message: "the desired replica count is more than the maximum replica count",
              }
            : {
                status: "True",
                reason: "TooFewReplicas",
                message: "the desired replica count is less than the minimum replica count",
              },
      }
    return {
      wanted,
      limited: {
        status: "False",
        reason: "DesiredWithinRange",
        message: "the desired count is within the acceptable range",
      },
    }
  }

  function condition(
    scaler: KeptScaler,
    ...words: { type: string; status: string; reason: string; message: string }[]
  ): void {
    cluster.patchStatus<HorizontalPodAutoscaler>(RESOURCE, scaler, ({ status, metadata }) => ({
      currentMetrics: null,
      desiredReplicas: status?.desiredReplicas ?? 0,
      ...status,
      observedGeneration: metadata.generation,
      conditions: words.reduce((all, one) => withCondition(all, one, deps.now()), [...(status?.conditions ?? [])]),
    }))
  }
}
