import type { Networks } from "../../../network/network.ts"
import type { PodOptions } from "../../../pod/pod.ts"
import type { KeptPod } from "../../controllers/pod-state.ts"
import { attachedNetworks } from "../../services/attached-networks.ts"
import { clusterNetwork } from "../../services/cluster-network.ts"
import { plannedPodNetwork, podResolvConf, type NetworkedPod } from "../../services/pod-network.ts"

/** The options of a pod with the cluster's network and names. */
export async function onClusterNetwork(networks: Networks, pod: KeptPod, options: PodOptions): Promise<PodOptions> {
  const { gateway } = await clusterNetwork(networks)
  const { metadata, spec } = pod
  const networked = { metadata, spec } as NetworkedPod
  const planned = plannedPodNetwork(networked, gateway)
  const resolved = podResolvConf(networked.spec ?? {}, metadata.namespace ?? "default", gateway)
  const [first] = planned.networks
  // the network's own resolver is asked anyway, and asks the host's servers by itself
  const servers = (resolved?.servers ?? []).filter((server) => server !== gateway)
  const isNone = networked.spec?.dnsPolicy === "None" || networked.spec?.hostNetwork === true
  return {
    ...options,
    ...(first !== undefined && {
      network: { kind: "bridge" as const, name: first.network },
      networks: [...planned.networks, ...attachedNetworks(metadata.annotations, networks)],
      hostname: planned.hostname,
    }),
    ...(resolved !== undefined && {
      ...(isNone && { dns: networked.spec?.hostNetwork === true ? resolved.servers : servers }),
      dnsSearch: resolved.searches,
      dnsOptions: resolved.options,
    }),
  }
}
