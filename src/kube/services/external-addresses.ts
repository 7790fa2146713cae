/**
 * Addresses of others that Services may have (spec.externalIPs). Whoever may write a Service could take anybody's traffic by them
 * (CVE-2020-8554), so that it is the administrator who says which: by ranges in a ConfigMap of kube-system, and none without it. Pure.
 */
import type { ConfigMap } from "kubernetes-types/core/v1"
import type { Cluster } from "../controllers/cluster.ts"
import { isIn } from "./address-spans.ts"
import type { ClusterNetwork } from "./cluster-network.ts"
import { isEndpointAddress } from "./virtual-ports.ts"

/** The ConfigMap, and its key. */
export const SERVICE_SETTINGS = { namespace: "kube-system", name: "skiff-services" } as const
const KEY = "externalIPs"

/** Whether Services may have it. The cluster's own ranges are nobody's to name, nor the loopback, links and those of many. */
export function isExternalAddress(
  cluster: Pick<Cluster, "find">,
  { subnet, subnet6 = "", options: { virtual } }: Pick<ClusterNetwork, "subnet" | "subnet6" | "options">,
  address: string,
): boolean {
  const settings = cluster.find<ConfigMap>("configmaps", SERVICE_SETTINGS.name, SERVICE_SETTINGS.namespace)
  const allowed = settings?.data?.[KEY] ?? ""
  const own = [subnet, subnet6, virtual.services, virtual.services6 ?? "", virtual.balanced].join(",")
  return isIn(allowed, address) && !isIn(own, address) && isEndpointAddress(address)
}
