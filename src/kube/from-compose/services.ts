import type { KubeObject } from "../kube-object.ts"
import { containerPorts } from "./container.ts"
import type { ServicePlan } from "./convert-options.ts"
import { clusterName } from "./cluster-name.ts"

/**
 * Services of one compose service: a name for it and for each alias (headless where it has no port, for a name alone), and one that can be reached from outside for its
 * published ports. kompose gives a service without ports no name at all. Pure.
 */
export function serviceObjects(plan: ServicePlan): KubeObject[] {
  const aliases = Object.values(plan.service.networks ?? {}).flatMap((network) => network?.aliases ?? [])
  const names = [...new Set([plan.name, ...aliases.map(clusterName)])]
  return [...names.map((name) => nameObject(plan, name)), ...publishedObject(plan)]
}

function nameObject(plan: ServicePlan, name: string): KubeObject {
  const ports = containerPorts(plan).map(({ containerPort, protocol }) => ({
    name: portName(containerPort, protocol),
    port: containerPort,
    targetPort: containerPort,
    protocol,
  }))
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, labels: { ...plan.labels } },
    spec: { ...(ports.length === 0 ? { clusterIP: "None" } : { ports }), selector: selectorOf(plan) },
  }
}

function publishedObject(plan: ServicePlan): KubeObject[] {
  const { service, key, options, lose, name } = plan
  const type = options.publish ?? "LoadBalancer"
  const ports = (service.ports ?? []).flatMap(({ target, published, protocol = "tcp", host_ip: address }, index) => {
    const path = `services.${key}.ports[${index}]`
    if (address !== undefined && address !== "" && address !== "0.0.0.0" && address !== "::")
      lose(`${path}.host_ip`, "a cluster publishes on its own addresses")
    if (published?.includes("-")) lose(`${path}.published`, "a range of ports to choose from: the first one is taken")
    const port = Number.parseInt(published ?? "", 10) || target
    return {
      name: portName(port, protocol === "tcp" ? undefined : protocol),
      port,
      targetPort: target,
      protocol: protocol === "tcp" ? undefined : protocol.toUpperCase(),
    }
  })
  if (ports.length === 0 || type === "none") return []
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: `${name}-published`, labels: { ...plan.labels } },
      spec: { type, ports, selector: selectorOf(plan) },
    },
  ]
}

/** Labels by which the pods of a service are found. Pure. */
export function selectorOf({ labels }: Pick<ServicePlan, "labels">): Record<string, string> {
  return {
    "app.kubernetes.io/instance": labels["app.kubernetes.io/instance"] ?? "",
    "app.kubernetes.io/name": labels["app.kubernetes.io/name"] ?? "",
  }
}

function portName(port: number, protocol: string | undefined): string {
  return `p${port}${protocol === undefined ? "" : `-${protocol.toLowerCase()}`}`
}
