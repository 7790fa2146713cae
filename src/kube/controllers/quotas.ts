import type { PersistentVolumeClaim, Pod, ResourceQuota } from "kubernetes-types/core/v1"
import { BUILT_IN_KINDS, resourceKey } from "../objects/kinds.ts"
import { keyOf, type Cluster } from "./cluster.ts"
import type { Controller } from "./controller.ts"
import type { Kept } from "./kept.ts"
import type { ControllerDeps } from "./pod-control.ts"
import { isFinished, type KeptPod } from "./pod-state.ts"
import { bytesText, milliCpu, milliText, quantity } from "./quantities.ts"
import { podAmount } from "../pod-amount.ts"
import { requestsOf } from "./scheduler.ts"

const RESOURCE = "resourcequotas"
const COUNTED = new Map(BUILT_IN_KINDS.map((kind) => [kind.plural, resourceKey(kind)]))

/** Says how much of each quota is used. Whether more may be made is decided as it is made (api/admission). */
export function quotaController({ cluster }: ControllerDeps): Controller {
  return {
    name: "resourcequota-controller",
    *keysOf({ resource, object, type }) {
      const { namespace, name } = object.metadata
      if (resource === RESOURCE) yield keyOf(namespace, name)
      else if (type !== "MODIFIED" || resource === "pods")
        for (const { metadata } of namespace === undefined ? [] : cluster.list<ResourceQuota>(RESOURCE, namespace))
          yield keyOf(metadata.namespace, metadata.name)
    },
    reconcile(key) {
      const quota = cluster.byKey<ResourceQuota>(RESOURCE, key)
      if (quota === undefined) return
      const { hard = {} } = quota.spec ?? {}
      const used = Object.fromEntries(Object.keys(hard).map((name) => [name, usedOf(cluster, quota, name)]))
      cluster.patchStatus<ResourceQuota>(RESOURCE, quota, () => ({ hard, used }))
    },
  }
}

/** `requests.cpu`, `pods`, `count/deployments.apps`. */
function usedOf(cluster: Cluster, { metadata: { namespace }, spec }: Kept<ResourceQuota>, name: string): string {
  const pods = (): KeptPod[] =>
    cluster.list<Pod>("pods", namespace).filter((pod) => !isFinished(pod) && isInScopes(pod, spec?.scopes ?? []))
  const [, group = "requests", resource = name] = /^(requests|limits)\.(.+)$/.exec(name) ?? []
  if (resource === "cpu" || resource === "memory") {
    const each = pods().map((pod) => (group === "requests" ? requestsOf(pod)[resource] : limitOf(pod, resource)))
    const sum = each.reduce((total, one) => total + one, 0)
    return resource === "cpu" ? milliText(sum) : bytesText(sum)
  }
  if (name === "requests.storage") {
    const claims = cluster.list<PersistentVolumeClaim>("persistentvolumeclaims", namespace)
    return bytesText(claims.reduce((sum, one) => sum + quantity(one.spec?.resources?.requests?.["storage"]), 0))
  }
  if (name === "pods") return String(pods().length)
  const counted = name.replace(/^count\//, "")
  const key = name.startsWith("count/") ? counted : (COUNTED.get(counted) ?? counted)
  return String(cluster.list(key, namespace).length)
}

function limitOf({ spec }: KeptPod, resource: "cpu" | "memory"): number {
  const parse = resource === "cpu" ? milliCpu : quantity
  const { containers = [], initContainers = [] } = spec ?? {}
  return podAmount({ containers, initContainers }, ({ resources }) => parse(resources?.limits?.[resource]))
}

function isInScopes({ spec, status }: KeptPod, scopes: readonly string[]): boolean {
  const isBestEffort = status?.qosClass === "BestEffort"
  const isTerminating = spec?.activeDeadlineSeconds !== undefined
  return scopes.every((scope) => {
    switch (scope) {
      case "Terminating":
        return isTerminating
      case "NotTerminating":
        return !isTerminating
      case "BestEffort":
        return isBestEffort
      case "NotBestEffort":
        return !isBestEffort
      default:
        return true
    }
  })
}
