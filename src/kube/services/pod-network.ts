/** What a pod's spec says of its network, as sandboxes and pods are made with it. */
import { isIpAddress } from "../../spec/docker/ip-address.ts"
import type { NetworkRequest, Networks } from "../../network/network.ts"
import { CLUSTER_DOMAIN, CLUSTER_NETWORK, clusterNetwork } from "./cluster-network.ts"

/** The fields of a pod that its network is made of. */
export interface NetworkedPod {
  metadata: { name: string; namespace?: string | undefined }
  spec?: {
    hostNetwork?: boolean
    hostname?: string
    subdomain?: string
    setHostnameAsFQDN?: boolean
    dnsPolicy?: string
    dnsConfig?: {
      nameservers?: readonly string[]
      searches?: readonly string[]
      options?: readonly { name?: string; value?: string }[]
    }
  }
}

/** As `PodOptions` of pod/ has it. */
export interface PodNetwork {
  /** Empty: the host's own network. */
  networks: NetworkRequest[]
  /** What its containers' names end with; undefined: nothing. */
  domainname?: string
  hostname: string
  /** The text of /etc/resolv.conf; undefined: what the engine writes by itself, which is what the host's says. */
  resolvConf?: string
}

/** What /etc/resolv.conf says. */
export interface PodResolvConf {
  servers: readonly string[]
  searches: readonly string[]
  /** `ndots:5`. */
  options: readonly string[]
}

/** The network of a pod of the cluster, made where it is not there. */
export async function podNetwork(
  networks: Pick<Networks, "inspect" | "create">,
  pod: NetworkedPod,
): Promise<PodNetwork> {
  const { gateway } = await clusterNetwork(networks)
  return plannedPodNetwork(pod, gateway)
}

/** The same where the cluster's resolver is known to be at `resolver`. Pure. */
export function plannedPodNetwork({ metadata, spec = {} }: NetworkedPod, resolver: string): PodNetwork {
  const { namespace = "default", name } = metadata
  const resolved = podResolvConf(spec, namespace, resolver)
  return {
    networks: spec.hostNetwork === true ? [] : [{ network: CLUSTER_NETWORK }],
    hostname: spec.hostname ?? shortHostname(name),
    ...(spec.subdomain !== undefined && { domainname: `${spec.subdomain}.${namespace}.svc.${CLUSTER_DOMAIN}` }),
    ...(resolved !== undefined && { resolvConf: textOf(resolved) }),
  }
}

/** resolv.conf(5): glibc reads so many. */
const MOST_SERVERS = 3
const MOST_SEARCHES = 32

/**
 * dnsPolicy and dnsConfig (kubernetes.io, "DNS for Services and Pods"): the config's words come after those of the policy. Undefined: the
 * host's own, with nothing to add. Pure.
 */
export function podResolvConf(
  spec: NonNullable<NetworkedPod["spec"]>,
  namespace: string,
  resolver: string,
): PodResolvConf | undefined {
  const { dnsConfig } = spec
  const policy = spec.dnsPolicy ?? "ClusterFirst"
  // with the host's network ClusterFirst means Default (k8s.io/api/core/v1, DNSClusterFirst)
  const isCluster = policy === "ClusterFirstWithHostNet" || (policy === "ClusterFirst" && spec.hostNetwork !== true)
  if (!isCluster && policy !== "None" && dnsConfig === undefined) return undefined
  const svc = `svc.${CLUSTER_DOMAIN}`
  const base: PodResolvConf = isCluster
    ? { servers: [resolver], searches: [`${namespace}.${svc}`, svc, CLUSTER_DOMAIN], options: ["ndots:5"] }
    : { servers: policy === "None" ? [] : [resolver], searches: [], options: [] }
  const options = new Map(base.options.map((word) => [nameOf(word), word]))
  for (const { name, value } of dnsConfig?.options ?? [])
    if (name !== undefined) options.set(name, value === undefined || value === "" ? name : `${name}:${value}`)
  return {
    servers: [...new Set([...base.servers, ...(dnsConfig?.nameservers ?? [])])].slice(0, MOST_SERVERS),
    searches: [...new Set([...base.searches, ...(dnsConfig?.searches ?? [])])].slice(0, MOST_SEARCHES),
    options: [...options.values()],
  }
}

const nameOf = (option: string): string => option.split(":", 1)[0] ?? option

/** A word of somebody's YAML must not become a line of its own. */
const isWord = (word: string): boolean => /^[^\s#;]+$/.test(word)

function line(keyword: string, words: readonly string[]): string[] {
  const plain = words.filter(isWord)
  return plain.length === 0 ? [] : [`${keyword} ${plain.join(" ")}`]
}

function textOf({ servers, searches, options }: PodResolvConf): string {
  const lines = [
    ...line("search", searches),
    ...servers.filter(isIpAddress).map((server) => `nameserver ${server}`),
    ...line("options", options),
  ]
  return lines.map((text) => `${text}\n`).join("")
}

/** A pod's name may be longer than a label of the DNS: the kubelet cuts it. */
function shortHostname(name: string): string {
  return name.slice(0, 63).replace(/[-.]+$/, "")
}
