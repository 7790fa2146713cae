import type { Node, Pod } from "kubernetes-types/core/v1"
import { keyOf } from "./cluster.ts"
import { conditionOf, withCondition } from "./conditions.ts"
import type { Controller } from "./controller.ts"
import type { Kept } from "./kept.ts"
import type { ControllerDeps } from "./pod-control.ts"
import { isFinished, type KeptPod } from "./pod-state.ts"
import { milliCpu, quantity } from "./quantities.ts"
import { selectsAll } from "./selector.ts"

const COMPONENT = "default-scheduler"
const RETRY_MS = 30_000

export interface Requested {
  cpu: number
  memory: number
}

const sum = (all: readonly number[]): number => all.reduce((total, one) => total + one, 0)

/** What a pod asks for: of its containers together, or of an init container where that is more (kubernetes: resource/helpers.go). Pure. */
export function requestsOf({ spec }: KeptPod): Requested {
  const of = (resource: "cpu" | "memory"): number => {
    const parse = resource === "cpu" ? milliCpu : quantity
    const each = (containers: NonNullable<KeptPod["spec"]>["containers"] = []): number[] =>
      containers.map(({ resources }) => parse(resources?.requests?.[resource] ?? resources?.limits?.[resource]))
    const inits = spec?.initContainers ?? []
    const sidecars = each(inits.filter(({ restartPolicy }) => restartPolicy === "Always"))
    const steady = sum(each(spec?.containers)) + sum(sidecars)
    return Math.max(steady, ...each(inits.filter(({ restartPolicy }) => restartPolicy !== "Always")))
  }
  return { cpu: of("cpu"), memory: of("memory") }
}

/** Why a pod cannot be on a node; undefined: it can. Pure. */
export function refusalOf(pod: KeptPod, node: Kept<Node>, used: Requested & { pods: number }): string | undefined {
  const { spec } = pod
  if (!selectsAll(spec?.nodeSelector, node.metadata.labels)) return "node(s) didn't match Pod's node affinity/selector"
  const taints = [...(node.spec?.taints ?? []), ...(node.spec?.unschedulable ? [UNSCHEDULABLE] : [])]
  const untolerated = taints.find(
    (taint) =>
      taint.effect !== "PreferNoSchedule" &&
      !(spec?.tolerations ?? []).some(
        ({ key, operator = "Equal", value = "", effect }) =>
          (key === undefined || key === taint.key) &&
          (effect === undefined || effect === taint.effect) &&
          (operator === "Exists" || value === (taint.value ?? "")),
      ),
  )
  if (untolerated === UNSCHEDULABLE) return "node(s) were unschedulable"
  if (untolerated) return `node(s) had untolerated taint {${untolerated.key}: ${untolerated.value ?? ""}}`
  const { cpu, memory, pods } = node.status?.allocatable ?? {}
  const wanted = requestsOf(pod)
  const short = [
    ...(pods !== undefined && used.pods + 1 > quantity(pods) ? ["Too many pods"] : []),
    ...(cpu !== undefined && used.cpu + wanted.cpu > milliCpu(cpu) ? ["Insufficient cpu"] : []),
    ...(memory !== undefined && used.memory + wanted.memory > quantity(memory) ? ["Insufficient memory"] : []),
  ]
  return short.length === 0 ? undefined : short.join(", ")
}

const UNSCHEDULABLE = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule", value: "" }

/** Gives pods to the one node that there is. */
export function scheduler({ cluster, recorder, now }: ControllerDeps, nodeName: string): Controller {
  return {
    name: COMPONENT,
    *keysOf({ resource, object, type }) {
      if (resource === "pods" && type !== "DELETED") {
        const { spec, metadata } = object as unknown as KeptPod
        if (spec?.nodeName === undefined) yield keyOf(metadata.namespace, metadata.name)
      }
      if (resource === "nodes")
        for (const { metadata, spec } of cluster.list<Pod>("pods"))
          if (spec?.nodeName === undefined) yield keyOf(metadata.namespace, metadata.name)
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
      const others = cluster.list<Pod>("pods").filter((one) => one.spec?.nodeName === nodeName && !isFinished(one))
      const used = { cpu: 0, memory: 0, pods: others.length }
      for (const one of others) {
        const { cpu, memory } = requestsOf(one)
        used.cpu += cpu
        used.memory += memory
      }
      const refusal = refusalOf(pod, node, used)
      if (refusal !== undefined) {
        const message = `0/1 nodes are available: 1 ${refusal}. no new claims to deallocate, preemption: not done on one node.`
        unscheduled(pod, "Unschedulable", message)
        recorder.tell(pod, { type: "Warning", reason: "FailedScheduling", message, component: COMPONENT })
        return RETRY_MS
      }
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

  function unscheduled(pod: KeptPod, reason: string, message: string): void {
    if (conditionOf(pod.status?.conditions, "PodScheduled")?.message === message) return
    cluster.patchStatus<Pod>("pods", pod, ({ status }) => ({
      ...status,
      phase: "Pending",
      conditions: withCondition(status?.conditions, { type: "PodScheduled", status: "False", reason, message }, now()),
    }))
  }
}
