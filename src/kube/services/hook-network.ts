/** How webhooks of admission that are Services are reached from a process of the host: by one of their pods. */
import type { Duplex } from "node:stream"
import type { Service } from "kubernetes-types/core/v1"
import type { EndpointSlice } from "kubernetes-types/discovery/v1"
import type { Pods } from "../../pod/pod.ts"
import type { Sandboxes } from "../../sandbox/sandbox.ts"
import type { HookEndpoint, HookNetwork } from "../api/admission/webhooks/call.ts"
import type { Kept } from "../controllers/kept.ts"
import { at, textsAt } from "../field.ts"
import { dialFromHost, dialFromInside } from "../node/agent/dial.ts"
import { OWNED_LABEL } from "../node/agent/labels.ts"
import type { KubeObjects } from "../objects/objects.ts"
import { SERVICE_NAME, SLICES } from "./slices.ts"
import { endpointsOf } from "./virtual-ports.ts"

/** `dial` is handed the uid of the pod that has the address, where one has. */
export function hookNetwork(
  objects: Pick<KubeObjects, "find" | "list">,
  dial: (endpoint: HookEndpoint, signal: AbortSignal) => Promise<Duplex>,
): HookNetwork {
  return {
    dial,
    endpoint(namespace, name, port) {
      const service = objects.find("services", name, namespace) as Kept<Service> | undefined
      if (service === undefined) throw new Error(`service "${name}" not found`)
      if (service.spec?.type === "ExternalName")
        throw new Error(`service "${name}" names another host: its webhook needs a url`)
      const own = service.spec?.ports?.find((one) => one.port === port)
      if (own === undefined) throw new Error(`no service port ${port} found for service "${name}"`)
      const { items } = objects.list(SLICES, {
        namespace,
        fits: (one) => textsAt(one, "metadata", "labels")[SERVICE_NAME] === name,
      })
      const endpoints = endpointsOf(items as unknown as Kept<EndpointSlice>[], own.name ?? "")
      const chosen = endpoints[Math.floor(Math.random() * endpoints.length)]
      if (chosen === undefined) throw new Error(`no endpoints available for service "${name}"`)
      const [pod] = objects.list("pods", {
        namespace,
        fits: (one) => at(one, "status", "podIP") === chosen.address,
      }).items
      return { ...chosen, ...(pod && at(pod, "spec", "hostNetwork") !== true && { uid: pod.metadata.uid }) }
    },
  }
}

/** What dialling is handed. */
export interface HookDialDeps {
  pods: Pick<Pods, "labelled">
  sandboxes: Sandboxes
  /** Pods are in namespaces that the host does not reach. */
  isRootless: boolean
}

/** From the host, or from inside the pod where the host does not reach it. */
export function dialHook({ pods, sandboxes, isRootless }: HookDialDeps): HookNetwork["dial"] {
  const dial = isRootless ? dialFromInside(() => sandboxes) : dialFromHost
  return ({ address, port, uid }, signal) => {
    const pod =
      uid === undefined ? undefined : [...pods.labelled(OWNED_LABEL)].find(({ labels }) => labels[OWNED_LABEL] === uid)
    return dial({ host: address, port, sandboxId: pod?.sandboxId }, signal)
  }
}
