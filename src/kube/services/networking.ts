/** The network of the cluster, kept by one process: Services, their endpoints, who may reach whom. */
import { setTimeout as sleep } from "node:timers/promises"
import { log } from "../../base/log.ts"
import type { Networks } from "../../network/network.ts"
import type { Controller } from "../controllers/controller.ts"
import type { ControllerDeps } from "../controllers/pod-control.ts"
import type { KeptPod } from "../controllers/pod-state.ts"
import { clusterNetwork, findClusterNetwork, type ClusterNetwork } from "./cluster-network.ts"
import { ingressStatusController } from "../ingress/status-controller.ts"
import { PolicyController } from "./policy-controller.ts"
import { ServiceProxy } from "./proxy.ts"
import { serviceController } from "./service-controller.ts"

/** What it stands on. */
export interface ClusterNetworkingDeps {
  networks: Networks
  /** Starts the proxy of Ingresses unless it runs. */
  wakeIngress(): void
  isOrdinaryUser: boolean
}

/** The controllers, and what they have the kernel do. */
export interface ClusterNetworking {
  /** For the queue. */
  controllers: readonly Controller[]
  /** Makes the network, and keeps it until `signal`. Throws what the network throws. */
  run(signal: AbortSignal): Promise<void>
  /** To be waited for before a pod is told to end: resolves when no Service leads to it. */
  withdrawn(pod: KeptPod): Promise<void>
}

/** Nothing is done before `run`, and the cluster's objects are followed. */
export function clusterNetworking(
  deps: ControllerDeps,
  { networks, wakeIngress, isOrdinaryUser }: ClusterNetworkingDeps,
): ClusterNetworking {
  let network: ClusterNetwork | undefined
  const find = (): ClusterNetwork | undefined => (network ??= findClusterNetwork(networks))
  const proxy = new ServiceProxy(deps.cluster)
  const policies = new PolicyController(deps.cluster)
  const ingress = ingressStatusController({
    cluster: deps.cluster,
    isOrdinaryUser,
    wakeProxy: wakeIngress,
    onPorts: (ports) => proxy.setIngressPorts(ports),
    isOwnLink: (name) => networks.list().some(({ bridge }) => bridge === name),
  })
  return {
    controllers: [serviceController(deps, find), proxy, policies, ingress],
    async run(signal) {
      const made = await clusterNetwork(networks)
      network = made
      const stop = new AbortController()
      const both = AbortSignal.any([signal, stop.signal])
      // removed by somebody, it is made anew: with other ranges, maybe
      const look = setInterval(() => {
        if (findClusterNetwork(networks)?.id !== made.id) stop.abort()
      }, LOOK_MS)
      try {
        await Promise.all([
          proxy.run(made, await networks.virtualPorts(made), both),
          policies.run(made, await networks.trafficPolicies(made), both),
        ])
      } finally {
        clearInterval(look)
      }
    },
    withdrawn: (pod) => proxy.withdrawn(pod),
  }
}

const RETRY_MS = 5_000
const LOOK_MS = 2_000

/** Runs it until `signal`; what it cannot work without (nft, a range of addresses) may come. */
export async function keepNetworking(networking: ClusterNetworking | undefined, signal: AbortSignal): Promise<void> {
  if (networking === undefined) return
  while (!signal.aborted)
    try {
      await networking.run(signal)
    } catch (error) {
      log.warn("the network of the cluster cannot be made", { reason: String(error) })
      await sleep(RETRY_MS, undefined, { signal }).catch(() => {})
    }
}
