import type { PortMapping } from "../spec/docker/port-mapping.ts"
import type { KubeObject } from "./kube.ts"

/** Where Kubernetes gives out ports of nodes. */
const FIRST_NODE_PORT = 30_000
const NODE_PORTS = 2768

/** `v1` Service of a pod's published ports; undefined: it has none. Pure. */
export function serviceObject(pod: KubeObject, ports: readonly PortMapping[]): KubeObject | undefined {
  if (ports.length === 0) return undefined
  const { name, labels, creationTimestamp } = pod.metadata
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, labels, creationTimestamp },
    spec: {
      ports: ports.map(({ containerPort, hostPort, protocol }) => ({
        name: `${containerPort}${protocol === "tcp" ? "" : `-${protocol}`}`,
        // the host's port where a node may have it, else one that is its own in this file
        nodePort: nodePort(hostPort || containerPort),
        port: containerPort,
        protocol: protocol === "tcp" ? undefined : protocol.toUpperCase(),
        targetPort: containerPort,
      })),
      selector: { app: name },
      type: "NodePort",
    },
    status: { loadBalancer: {} },
  }
}

function nodePort(port: number): number {
  const isNodes = port >= FIRST_NODE_PORT && port < FIRST_NODE_PORT + NODE_PORTS
  return isNodes ? port : FIRST_NODE_PORT + (port % NODE_PORTS)
}
