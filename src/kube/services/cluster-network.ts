/** The network of the cluster's pods: made by whoever needs it first. */
import { FailedPrecondition, isSkiffError } from "../../base/errors.ts"
import type { Network, Networks, VirtualRanges } from "../../network/network.ts"

/** Its name among the networks. */
export const CLUSTER_NETWORK = "kube"
/** Behind every name of the cluster. */
export const CLUSTER_DOMAIN = "cluster.local"

/** The network with all that a cluster's has. */
export type ClusterNetwork = Network & { options: Network["options"] & { routed: true; virtual: VirtualRanges } }

/** Each tried in turn: of pods (as Flannel has them), of Services (as kubeadm has them), of load balancers. */
const PODS = candidates(244, 252)
const SERVICES = candidates(96, 111)
const BALANCED = candidates(112, 127)

/** The network on record; undefined before the first pod or Service. Throws FailedPrecondition where another has its name. */
export function findClusterNetwork(networks: Pick<Networks, "inspect">): ClusterNetwork | undefined {
  try {
    return asClusterNetwork(networks.inspect(CLUSTER_NETWORK))
  } catch (error) {
    if (isSkiffError(error, "NotFound")) return undefined
    throw error
  }
}

/** The network, made where it is not there. Safe to race. Throws FailedPrecondition. */
export async function clusterNetwork(networks: Pick<Networks, "inspect" | "create">): Promise<ClusterNetwork> {
  const taken = new Set<string>()
  const firstFree = (of: readonly string[]): string | undefined => of.find((range) => !taken.has(range))
  const services6 = uniqueRange6()
  for (;;) {
    const found = findClusterNetwork(networks)
    if (found !== undefined) return found
    const [services, balanced] = [firstFree(SERVICES), firstFree(BALANCED)]
    if (services === undefined || balanced === undefined) throw noRange()
    const subnet = firstFree(PODS)
    try {
      const made = await networks.create({
        name: CLUSTER_NETWORK,
        ...(subnet !== undefined && { subnet }),
        options: { routed: true, virtual: { services, services6, balanced } },
      })
      return asClusterNetwork(made)
    } catch (error) {
      if (!isSkiffError(error, "AlreadyExists")) throw error
      const { object, subnet: range } = error.data
      // another process made it meanwhile, or something of this host has one of the ranges
      if (object === "subnet" && typeof range === "string") taken.add(range)
      else if (object !== "network") throw error
    }
  }
}

function asClusterNetwork(network: Network): ClusterNetwork {
  const { routed, virtual } = network.options
  if (routed === true && virtual !== undefined) return network as ClusterNetwork
  throw new FailedPrecondition(`the network "${network.name}" is not the one of the cluster's pods`, {
    hint: "remove it, or call it something else: the cluster makes a network of this name for itself",
    data: { object: "network", name: network.name },
  })
}

function noRange(): FailedPrecondition {
  return new FailedPrecondition(
    "no range is free for the cluster's Services: all of 10.96.0.0/16 to 10.127.0.0/16 are in use",
    {
      hint: "see ip route; free one of these ranges",
    },
  )
}

function candidates(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => `10.${first + index}.0.0/16`)
}

/** A range of one's own (RFC 4193), as long as that of Services. */
function uniqueRange6(): string {
  const digits = Buffer.from(crypto.getRandomValues(new Uint8Array(5))).toString("hex")
  return `fd${digits.slice(0, 2)}:${digits.slice(2, 6)}:${digits.slice(6)}:1::/112`
}
