import type { Project } from "../../compose/compose.ts"
import type { KubeObject } from "../kube-object.ts"
import { clusterName } from "./cluster-name.ts"

/** A NetworkPolicy for each network: its services hear from each other, and from all the world at their published ports; of an internal one they also speak to nobody else but the resolver. Pure. */
export function policyObjects({ networks, name, services }: Project): KubeObject[] {
  return Object.entries(networks).map(([key, { internal }]) => {
    const podSelector = {
      matchLabels: { "app.kubernetes.io/instance": name, [`network.skiff/${clusterName(key)}`]: "true" },
    }
    const resolver = {
      ports: [
        { port: 53, protocol: "UDP" },
        { port: 53, protocol: "TCP" },
      ],
    }
    const published = Object.values(services)
      .filter((service) => Object.hasOwn(service.networks ?? {}, key))
      .flatMap(({ ports = [] }) =>
        ports.map(({ target, protocol = "tcp" }) => ({ port: target, protocol: protocol.toUpperCase() })),
      )
    return {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: `${name}-${clusterName(key)}` },
      spec: {
        podSelector,
        policyTypes: internal === true ? ["Ingress", "Egress"] : ["Ingress"],
        ingress: [{ from: [{ podSelector }] }, ...(published.length === 0 ? [] : [{ ports: published }])],
        egress: internal === true ? [{ to: [{ podSelector }] }, resolver] : undefined,
      },
    }
  })
}
