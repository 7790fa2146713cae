import type { ConfigMap, PersistentVolumeClaim, Secret, Service, ServicePort } from "kubernetes-types/core/v1"
import type { ImageRunConfig } from "../../../spec/oci-image.ts"
import type { Cluster } from "../../controllers/cluster.ts"
import type { Kept } from "../../controllers/kept.ts"
import type { KeptPod } from "../../controllers/pod-state.ts"
import type { NodeFacts, NodeSources } from "../node-pod.ts"
import { claimVolumeName, provisionedBytes } from "../../controllers/claim-volume.ts"
import type { PodTokens } from "./pod-tokens.ts"
import { isServed } from "../../services/api-service.ts"
import { SLICES } from "../../services/slices.ts"
import type { NodeContext } from "./node-context.ts"

/** What a pod refers to in its namespace. `images`: those that are here, by the names that the pod uses. */
export function sourcesOf(
  cluster: Cluster,
  pod: KeptPod,
  images: ReadonlyMap<string, ImageRunConfig>,
  tokens: PodTokens,
): NodeSources {
  const { namespace = "default" } = pod.metadata
  return {
    token: (request) => tokens.tokenFor(cluster, pod, request),
    configMap: (name) => cluster.find<ConfigMap>("configmaps", name, namespace) as ConfigMap | undefined,
    secret: (name) => cluster.find<Secret>("secrets", name, namespace) as Secret | undefined,
    claim(name) {
      const claim = cluster.find<PersistentVolumeClaim>("persistentvolumeclaims", name, namespace)
      const volume = claim && claimVolumeName(cluster, claim)
      const sizeBytes = claim && provisionedBytes(cluster, claim)
      return volume === undefined ? undefined : { volume, copyUp: false, ...(sizeBytes && { sizeBytes }) }
    },
    image: (reference) => images.get(reference),
  }
}

/** What a pod's fieldRefs and resourceFieldRefs may ask of it and its node. */
export function factsOf(
  { nodeName, hostIps, cpus, memoryBytes }: NodeContext,
  { metadata: { uid, namespace = "default" } }: KeptPod,
  podIps: readonly string[] | undefined,
): NodeFacts {
  return { uid, namespace, nodeName, hostIps, ...(podIps && podIps.length > 0 && { podIps }), cpus, memoryBytes }
}

/** Variables of the namespace's Services, as links of docker had them (kubernetes: pkg/kubelet/envvars). Pure but for the cache. */
export function serviceVariables(cluster: Cluster, { metadata, spec }: KeptPod): string[] {
  const { namespace = "default" } = metadata
  const api = cluster.find<Service>("services", "kubernetes", "default")
  const isApiServed = isServed(cluster.find(SLICES, "kubernetes", "default"))
  const own =
    spec?.enableServiceLinks === false
      ? []
      : cluster.list<Service>("services", namespace).filter(({ metadata: { uid } }) => uid !== api?.metadata.uid)
  // of the API every pod is told, whatever its namespace, but of one that nobody serves none: a client that finds the variables takes it for there
  return [...(api !== undefined && isApiServed ? [api] : []), ...own].flatMap(variablesOfService)
}

function variablesOfService({ metadata: { name }, spec }: Kept<Service>): string[] {
  const { clusterIP: address, ports = [] } = spec ?? {}
  const [first] = ports
  if (address === undefined || address === "" || address === "None" || first === undefined) return []
  const prefix = variableName(name)
  const host = address.includes(":") ? `[${address}]` : address
  const lines = [`${prefix}_SERVICE_HOST=${address}`, `${prefix}_SERVICE_PORT=${first.port}`]
  for (const port of ports) if (port.name) lines.push(`${prefix}_SERVICE_PORT_${variableName(port.name)}=${port.port}`)
  lines.push(`${prefix}_PORT=${urlOf(host, first)}`)
  for (const one of ports) {
    const { port, protocol = "TCP" } = one
    const at = `${prefix}_PORT_${port}_${protocol}`
    lines.push(`${at}=${urlOf(host, one)}`, `${at}_PROTO=${protocol.toLowerCase()}`)
    lines.push(`${at}_PORT=${port}`, `${at}_ADDR=${address}`)
  }
  return lines
}

function variableName(name: string): string {
  return name.toUpperCase().replaceAll("-", "_")
}

function urlOf(host: string, { port, protocol = "TCP" }: ServicePort): string {
  return `${protocol.toLowerCase()}://${host}:${port}`
}
