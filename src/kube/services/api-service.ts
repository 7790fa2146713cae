/** The Service `kubernetes`, by which pods reach the API while somebody serves it: its address never changes, its endpoint comes and goes. */
import { listAt } from "../field.ts"
import type { KubeObject } from "../kube-object.ts"
import type { KubeObjects } from "../objects/objects.ts"
import { AddressRange } from "./address-range.ts"
import { SERVICE_NAME, SLICES } from "./slices.ts"

const PLACE = { name: "kubernetes", namespace: "default" } as const
const PORT = 443
/** By which a certificate must call who serves it. */
export const API_NAMES: readonly string[] = [
  "kubernetes",
  "kubernetes.default",
  "kubernetes.default.svc",
  "kubernetes.default.svc.cluster.local",
]

type Writer = Pick<KubeObjects, "find" | "create" | "update" | "delete">

/** The first address of the range of Services, as every cluster has it. */
export function apiAddress(services: string): string {
  return new AddressRange(services).first
}

/** Leads the Service to who listens at `address` and `port`. Safe to repeat. */
export function serveApiService(
  objects: Writer,
  { address, port, services }: { address: string; port: number; services: string },
): void {
  const clusterIP = apiAddress(services)
  const found = objects.find("services", PLACE.name, PLACE.namespace)
  const spec = (found?.["spec"] ?? {}) as { clusterIP?: string; ports?: { targetPort?: number }[] }
  const isRight = spec.clusterIP === clusterIP && spec.ports?.[0]?.targetPort === port
  if (found !== undefined && !isRight) objects.delete("services", PLACE.name, PLACE.namespace)
  if (!isRight)
    objects.create("services", {
      apiVersion: "v1",
      kind: "Service",
      metadata: { ...PLACE, labels: { component: "apiserver", provider: "kubernetes" } },
      spec: {
        clusterIP,
        clusterIPs: [clusterIP],
        ports: [{ name: "https", port: PORT, protocol: "TCP", targetPort: port }],
      },
    })
  writeSlice(objects, [{ addresses: [address], conditions: { ready: true } }], port)
}

/** Nobody listens any more. Safe to repeat. */
export function endApiService(objects: Writer): void {
  const slice = objects.find(SLICES, PLACE.name, PLACE.namespace)
  if (slice !== undefined && isServed(slice)) writeSlice(objects, [], undefined)
}

function writeSlice(objects: Writer, endpoints: readonly object[], port: number | undefined): void {
  const found = objects.find(SLICES, PLACE.name, PLACE.namespace)
  const ports = port === undefined ? listAt(found, "ports") : [{ name: "https", port, protocol: "TCP" }]
  const slice = {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { ...PLACE, labels: { [SERVICE_NAME]: PLACE.name } },
    addressType: "IPv4",
    endpoints,
    ports,
  } satisfies KubeObject & object
  if (found === undefined) objects.create(SLICES, slice)
  else objects.update(SLICES, slice)
}

/** Whether pods that start now are told where the API is. */
export function isServed(slice: unknown): boolean {
  return listAt(slice, "endpoints").length > 0
}
