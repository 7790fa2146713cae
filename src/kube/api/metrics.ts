import { textAt, textsAt } from "../field.ts"
import type { KubeObjects, StoredObject } from "../objects/objects.ts"
import type { ApiRequest, ApiResponse } from "./api.ts"
import { authorize } from "./authorize.ts"
import { parseLabelSelector } from "./selectors.ts"
import { noSuchResource, statusError } from "./status.ts"

const GROUP = "metrics.k8s.io"
const WINDOW = "500ms"
const PATH = /^\/apis\/metrics\.k8s\.io\/v1beta1\/(?:namespaces\/([^/]+)\/)?(pods|nodes)(?:\/([^/]+))?$/

/** What a container uses: thousandths of a processor, bytes. */
export interface ContainerUse {
  cpuMilli: number
  memoryBytes: number
}

/** By the uid of the pod, then by the container's name. */
export type PodUses = ReadonlyMap<string, ReadonlyMap<string, ContainerUse>>

/** What pods and the node use (metrics.k8s.io/v1beta1), as `kubectl top` asks for it. Throws Forbidden, NotFound. */
export async function metrics(
  request: ApiRequest,
  objects: KubeObjects,
  uses: () => Promise<PodUses>,
): Promise<ApiResponse> {
  const found = PATH.exec(request.path)
  if (!found || request.method !== "GET") throw noSuchResource()
  const [, namespace, resource = "", name] = found
  authorize(objects, request.user, {
    verb: name === undefined ? "list" : "get",
    group: GROUP,
    resource,
    namespace,
    name,
  })
  const labels = parseLabelSelector(request.query?.get("labelSelector") ?? "")
  const wanted = objects.list(resource, {
    ...(namespace !== undefined && { namespace }),
    fits: (one) =>
      (name === undefined || one.metadata.name === name) && (labels?.(textsAt(one, "metadata", "labels")) ?? true),
  }).items
  const all = await uses()
  const items =
    resource === "pods"
      ? wanted.flatMap((pod) => podMetrics(pod, all))
      : wanted.map((node) => nodeMetrics(node, objects, all))
  const kind = resource === "pods" ? "PodMetrics" : "NodeMetrics"
  if (name === undefined)
    return { status: 200, body: { kind: `${kind}List`, apiVersion: `${GROUP}/v1beta1`, metadata: {}, items } }
  const [only] = items
  if (only === undefined)
    throw statusError("NotFound", `${resource}.${GROUP} "${name}" not found`, {
      reason: "NotFound",
      resource: `${resource}.${GROUP}`,
      name,
    })
  return { status: 200, body: only }
}

function podMetrics(pod: StoredObject, all: PodUses): object[] {
  const own = all.get(pod.metadata.uid)
  if (own === undefined) return []
  const { name, namespace, labels, creationTimestamp } = pod.metadata
  return [
    {
      kind: "PodMetrics",
      apiVersion: `${GROUP}/v1beta1`,
      metadata: { name, namespace, ...(labels && { labels }), creationTimestamp },
      timestamp: now(),
      window: WINDOW,
      containers: [...own].map(([container, use]) => ({ name: container, usage: usageOf(use) })),
    },
  ]
}

/** Of the node's own pods together. */
function nodeMetrics(node: StoredObject, objects: KubeObjects, all: PodUses): object {
  const { name, labels, creationTimestamp } = node.metadata
  const total = { cpuMilli: 0, memoryBytes: 0 }
  for (const pod of objects.list("pods", { fits: (one) => textAt(one, "spec", "nodeName") === name }).items)
    for (const use of all.get(pod.metadata.uid)?.values() ?? []) {
      total.cpuMilli += use.cpuMilli
      total.memoryBytes += use.memoryBytes
    }
  return {
    kind: "NodeMetrics",
    apiVersion: `${GROUP}/v1beta1`,
    metadata: { name, ...(labels && { labels }), creationTimestamp },
    timestamp: now(),
    window: WINDOW,
    usage: usageOf(total),
  }
}

function usageOf({ cpuMilli, memoryBytes }: ContainerUse): { cpu: string; memory: string } {
  return { cpu: `${Math.round(cpuMilli)}m`, memory: `${Math.round(memoryBytes / 1024)}Ki` }
}

function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, "Z")
}
