import type { Namespace, Node, Pod, Taint } from "kubernetes-types/core/v1"
import { keyOf } from "./cluster.ts"
import { conditionOf, withCondition } from "./conditions.ts"
import type { Controller } from "./controller.ts"
import { neighbourRefusal, nodeRefusal, tolerates, type Refusal, type Surroundings } from "./placement.ts"
import type { ControllerDeps } from "./pod-control.ts"
import { isFinished, isTerminating, type KeptPod } from "./pod-state.ts"
import { milliCpu, quantity } from "./quantities.ts"
import { timeOf } from "./times.ts"
import { podAmount } from "../pod-amount.ts"

const COMPONENT = "default-scheduler"
const EVICTION = "taint-eviction-controller"
const RETRY_MS = 30_000

/** Thousandths of a processor, and bytes. */
export interface Requested {
  cpu: number
  memory: number
}

/** What a pod asks for: of its containers together, or of an init container where that is more (kubernetes: resource/helpers.go). Pure. */
export function requestsOf({ spec }: KeptPod): Requested {
  const of = (resource: "cpu" | "memory"): number => {
    const parse = resource === "cpu" ? milliCpu : quantity
    const { containers = [], initContainers = [] } = spec ?? {}
    return podAmount({ containers, initContainers }, ({ resources }) =>
      parse(resources?.requests?.[resource] ?? resources?.limits?.[resource]),
    )
  }
  return { cpu: of("cpu"), memory: of("memory") }
}

/** Why a pod cannot be on the node; undefined: it can. Pure. */
export function refusalOf(pod: KeptPod, around: Surroundings): Refusal | undefined {
  const { node, others } = around
  const fixed = nodeRefusal(pod.spec, node)
  if (fixed !== undefined) return fixed
  const { cpu, memory, pods } = node.status?.allocatable ?? {}
  const used = usedBy(others)
  const wanted = requestsOf(pod)
  const short = [
    ...(pods !== undefined && others.length + 1 > quantity(pods) ? ["Too many pods"] : []),
    ...(cpu !== undefined && wanted.cpu > 0 && used.cpu + wanted.cpu > milliCpu(cpu) ? ["Insufficient cpu"] : []),
    ...(memory !== undefined && wanted.memory > 0 && used.memory + wanted.memory > quantity(memory)
      ? ["Insufficient memory"]
      : []),
  ]
  if (short.length > 0) return { message: short.join(", 1 "), isHelpedByPreemption: true }
  return neighbourRefusal(pod, around)
}

function usedBy(pods: readonly KeptPod[]): Requested {
  const used = { cpu: 0, memory: 0 }
  for (const one of pods) {
    const { cpu, memory } = requestsOf(one)
    used.cpu += cpu
    used.memory += memory
  }
  return used
}

/**
 * Pods of less priority that would have to go, the least important first and no more than it takes; undefined: it does not help, or the
 * pod takes nobody's place. Pure.
 */
export function victimsFor(pod: KeptPod, around: Surroundings): KeptPod[] | undefined {
  const priority = pod.spec?.priority ?? 0
  if (pod.spec?.preemptionPolicy === "Never") return undefined
  const lower = around.others
    .filter((one) => (one.spec?.priority ?? 0) < priority)
    .toSorted(
      (a, b) =>
        (a.spec?.priority ?? 0) - (b.spec?.priority ?? 0) ||
        (timeOf(b.metadata.creationTimestamp) ?? 0) - (timeOf(a.metadata.creationTimestamp) ?? 0),
    )
  const without = (gone: readonly KeptPod[]): Surroundings => ({
    ...around,
    others: around.others.filter((one) => !gone.includes(one)),
  })
  if (lower.length === 0 || refusalOf(pod, without(lower)) !== undefined) return undefined
  // who is in nobody's way stays, the most important first
  let victims = lower
  for (const one of lower.toReversed()) {
    const fewer = victims.filter((other) => other !== one)
    if (refusalOf(pod, without(fewer)) === undefined) victims = fewer
  }
  return victims
}

/** Gives pods to the one node that there is. */
export function scheduler({ cluster, recorder, now }: ControllerDeps, nodeName: string): Controller {
  return {
    name: COMPONENT,
    *keysOf({ resource, object, type }) {
      if (resource === "pods") {
        const { spec, metadata, status } = object as unknown as KeptPod
        if (type !== "DELETED" && spec?.nodeName === undefined) yield keyOf(metadata.namespace, metadata.name)
        // who has gone, or is another now, may have been in somebody's way
        if (type === "DELETED" || status?.phase === "Succeeded" || status?.phase === "Failed") yield* waiting()
      }
      if (resource === "nodes") yield* waiting()
    },
    reconcile(key) {
      const pod = cluster.byKey<Pod>("pods", key)
      if (pod === undefined || pod.spec?.nodeName !== undefined || isFinished(pod)) return undefined
      const { schedulingGates = [] } = pod.spec ?? {}
      if (pod.metadata.deletionTimestamp !== undefined) return void cluster.delete("pods", pod, { graceSeconds: 0 })
      const node = cluster.find<Node>("nodes", nodeName)
      if (node === undefined) return RETRY_MS
      if (schedulingGates.length > 0)
        return void unscheduled(pod, "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates")
      const around: Surroundings = {
        node,
        others: cluster.list<Pod>("pods").filter((one) => one.spec?.nodeName === nodeName && !isFinished(one)),
        labelsOf: (namespace) => cluster.find<Namespace>("namespaces", namespace)?.metadata.labels ?? {},
      }
      const refusal = refusalOf(pod, around)
      if (refusal !== undefined) return refuse(pod, around, refusal)
      cluster.patch<Pod>("pods", pod, (current) => ({ ...current, spec: { ...current.spec, nodeName } }))
      const { namespace, name } = pod.metadata
      recorder.tell(pod, {
        reason: "Scheduled",
        message: `Successfully assigned ${namespace}/${name} to ${nodeName}`,
        component: COMPONENT,
      })
      return undefined
    },
  }

  function* waiting(): Iterable<string> {
    for (const { metadata, spec } of cluster.list<Pod>("pods"))
      if (spec?.nodeName === undefined) yield keyOf(metadata.namespace, metadata.name)
  }

  function refuse(pod: KeptPod, around: Surroundings, { message, isHelpedByPreemption }: Refusal): number {
    const victims = isHelpedByPreemption ? victimsFor(pod, around) : undefined
    const preemption = isHelpedByPreemption
      ? "No preemption victims found for incoming pod"
      : "Preemption is not helpful for scheduling"
    const rest =
      victims === undefined ? `preemption: 0/1 nodes are available: 1 ${preemption}.` : "preemption: under way."
    const text = `0/1 nodes are available: 1 ${message}. no new claims to deallocate, ${rest}`
    if (conditionOf(pod.status?.conditions, "PodScheduled")?.message !== text)
      recorder.tell(pod, { type: "Warning", reason: "FailedScheduling", message: text, component: COMPONENT })
    unscheduled(pod, "Unschedulable", text)
    for (const victim of victims ?? []) {
      if (isTerminating(victim)) continue
      const words = `Preempted by pod ${pod.metadata.uid} on node ${nodeName}`
      recorder.tell(victim, { reason: "Preempted", message: words, component: COMPONENT })
      cluster.patchStatus<Pod>("pods", victim, ({ status }) => ({
        ...status,
        conditions: withCondition(
          status?.conditions,
          {
            type: "DisruptionTarget",
            status: "True",
            reason: "PreemptionByScheduler",
            message: `${COMPONENT}: preempting to accommodate a higher priority pod`,
          },
          now(),
        ),
      }))
      cluster.delete("pods", victim)
    }
    return RETRY_MS
  }

  function unscheduled(pod: KeptPod, reason: string, message: string): void {
    if (conditionOf(pod.status?.conditions, "PodScheduled")?.message === message) return
    cluster.patchStatus<Pod>("pods", pod, ({ status }) => ({
      ...status,
      phase: "Pending",
      conditions: withCondition(status?.conditions, { type: "PodScheduled", status: "False", reason, message }, now()),
    }))
  }
}

/** When a pod must leave a node for its taints; undefined: it stays. Milliseconds after they were put there. Pure. */
export function leavesAfterMs({ spec }: Pick<KeptPod, "spec">, taints: readonly Taint[]): number | undefined {
  const tolerations = spec?.tolerations ?? []
  const waits = taints
    .filter(({ effect }) => effect === "NoExecute")
    .map((taint) => {
      const fitting = tolerations.filter((one) => tolerates(one, taint))
      if (fitting.length === 0) return 0
      const seconds = fitting.flatMap(({ tolerationSeconds }) => tolerationSeconds ?? [])
      return seconds.length === 0 ? Infinity : Math.max(0, Math.min(...seconds)) * 1000
    })
  const least = Math.min(Infinity, ...waits)
  return least === Infinity ? undefined : least
}

/** Ends pods that do not tolerate what their node is tainted with (kubernetes: tainteviction). */
export function taintEviction({ cluster, recorder, now }: ControllerDeps, nodeName: string): Controller {
  // of this process: a new one waits anew
  const since = new Map<string, number>()
  return {
    name: EVICTION,
    *keysOf({ resource, object, type }) {
      if (resource === "pods" && type !== "DELETED") yield keyOf(object.metadata.namespace, object.metadata.name)
      if (resource === "pods" && type === "DELETED") since.delete(object.metadata.uid)
      if (resource === "nodes")
        for (const { metadata } of cluster.list<Pod>("pods")) yield keyOf(metadata.namespace, metadata.name)
    },
    reconcile(key) {
      const taints = cluster.find<Node>("nodes", nodeName)?.spec?.taints ?? []
      const pod = taints.length === 0 ? undefined : cluster.byKey<Pod>("pods", key)
      if (pod?.spec?.nodeName !== nodeName || isTerminating(pod) || isFinished(pod)) return undefined
      const after = leavesAfterMs(pod, taints)
      if (after === undefined) return void since.delete(pod.metadata.uid)
      const begun = since.get(pod.metadata.uid) ?? now()
      since.set(pod.metadata.uid, begun)
      if (begun + after > now()) return begun + after - now()
      const { namespace, name } = pod.metadata
      recorder.tell(pod, {
        reason: "TaintManagerEviction",
        message: `Marking for deletion Pod ${namespace}/${name}`,
        component: EVICTION,
      })
      cluster.delete("pods", pod)
      return undefined
    },
  }
}
