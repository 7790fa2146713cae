/** Has the kernel hold NetworkPolicies, as pods and labels come and go. */
import type { Namespace, Pod } from "kubernetes-types/core/v1"
import type { NetworkPolicy } from "kubernetes-types/networking/v1"
import { setTimeout as sleep } from "node:timers/promises"
import { log } from "../../base/log.ts"
import type { TrafficPolicies } from "../../network/network.ts"
import type { Cluster } from "../controllers/cluster.ts"
import type { Controller } from "../controllers/controller.ts"
import type { ClusterNetwork } from "./cluster-network.ts"
import { trafficPolicies } from "./policies.ts"

const POLICIES = "networkpolicies.networking.k8s.io"
const ALL = "all"
const LOOK_MS = 2_000
const RETRY_MS = 500

/** One key stands for all of them: what one pod has may be in every policy. */
export class PolicyController implements Controller {
  readonly name = "network-policies"
  readonly #cluster: Cluster
  #policies: TrafficPolicies | undefined
  #resolver = ""
  #isDue = true
  #applying: Promise<void> | undefined

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  keysOf({ resource, object, previous, type }: Parameters<Controller["keysOf"]>[0]): string[] {
    if (resource === POLICIES || resource === "namespaces") return [ALL]
    if (resource !== "pods" || this.#cluster.list(POLICIES).length === 0) return []
    return type === "MODIFIED" && previous !== undefined && placeOf(object) === placeOf(previous) ? [] : [ALL]
  }

  reconcile(): void {
    this.#isDue = true
    this.#apply()
  }

  /** Once the cluster's network is there, until `signal`. */
  async run({ gateway }: ClusterNetwork, policies: TrafficPolicies, signal: AbortSignal): Promise<void> {
    this.#policies = policies
    this.#isDue = true
    this.#resolver = gateway
    while (!signal.aborted) {
      this.#apply()
      await this.#applying
      await sleep(this.#isDue ? RETRY_MS : LOOK_MS, undefined, { signal }).catch(() => {})
      if (!signal.aborted && !this.#isDue) this.#isDue = !(await policies.isThere().catch(() => false))
    }
  }

  #apply(): void {
    const policies = this.#policies
    if (policies === undefined || this.#applying !== undefined || !this.#isDue) return
    this.#applying = this.#work(policies).then((isDone) => {
      this.#applying = undefined
      if (isDone) this.#apply()
    })
  }

  async #work(policies: TrafficPolicies): Promise<boolean> {
    // changes of one moment together
    await Promise.resolve()
    this.#isDue = false
    try {
      const wanted = trafficPolicies({
        policies: this.#cluster.list<NetworkPolicy>(POLICIES),
        pods: this.#cluster.list<Pod>("pods"),
        namespaces: this.#cluster.list<Namespace>("namespaces"),
        resolver: this.#resolver,
      })
      await policies.apply(wanted.policies, wanted.known)
      return true
    } catch (error) {
      log.warn("NetworkPolicies cannot be enforced", { reason: String(error) })
      this.#isDue = true
      return false
    }
  }
}

/** What of a pod is of concern to policies. */
function placeOf(object: Parameters<Controller["keysOf"]>[0]["object"]): string {
  const { status = {}, spec = {} } = object as { status?: Partial<Pod["status"]>; spec?: Partial<Pod["spec"]> }
  const { phase, podIP, podIPs } = (status ?? {}) as { phase?: string; podIP?: string; podIPs?: unknown }
  const isOver = phase === "Succeeded" || phase === "Failed"
  return JSON.stringify([
    object.metadata.labels,
    isOver,
    podIP,
    podIPs,
    (spec as { hostNetwork?: boolean }).hostNetwork,
  ])
}
