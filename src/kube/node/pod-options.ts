import type { PodSpec } from "kubernetes-types/core/v1"
import type { NamespaceOptions } from "../../container/container.ts"
import type { PodOptions } from "../../pod/pod.ts"
import type { RestartPolicy } from "../../spec/docker/restart-policy.ts"
import { isIpAddress } from "../../spec/docker/ip-address.ts"
import { fieldFault, type Warnings } from "./field-fault.ts"
import type { NodeFacts, NodeInput } from "./node-pod.ts"
import { publishedPorts } from "./ports.ts"
import { publishesAll, sandboxName, type Annotations } from "./pod-annotations.ts"
import { resourceLimits } from "./resources.ts"

/** RFC 1123, and podman's underscores. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,252}$/
/** hostname(7). */
const MAX_HOSTNAME = 63
const RESTART: ReadonlyMap<string, RestartPolicy["name"]> = new Map([
  ["always", "always"],
  ["onfailure", "on-failure"],
  ["never", "no"],
])
const DNS_POLICIES = new Set(["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"])

/** Fields of later versions of the API than the types know. */
export type NodePodSpec = PodSpec & { hostnameOverride?: string; resources?: PodSpec["containers"][0]["resources"] }

/** The options of a pod. Throws InvalidArgument. Pure. */
export function podOptions(input: NodeInput, annotations: Annotations, warnings: Warnings): PodOptions {
  const { metadata = {} } = input.pod
  const spec = input.pod.spec as NodePodSpec
  const { name = "", labels } = metadata
  if (name === "") throw fieldFault("metadata.name", "pod does not have a name")
  if (!NAME.test(name))
    throw fieldFault(
      "metadata.name",
      `"${name.slice(0, 100)}" is no name of a pod`,
      "letters, digits, `-`, `.` and `_`",
    )
  const isHost = spec.hostNetwork ?? false
  const infra = sandboxName(annotations)
  const namespaces = namespacesOf(spec)
  const ports = isHost ? [] : portsOf(spec, input, annotations)
  return {
    name,
    ...(labels && { labels }),
    ...(!isHost && { hostname: hostnameOf(spec, name, input.facts) }),
    shares: ["network", "ipc", "uts", ...(spec.shareProcessNamespace && !spec.hostPID ? (["pid"] as const) : [])],
    ...(infra !== undefined && { sandboxName: infra }),
    ...(isHost && { network: { kind: "host" as const } }),
    ...(Object.keys(namespaces).length > 0 && { namespaces }),
    ...(ports.length > 0 && { ports }),
    ...dnsOptions(spec),
    ...(spec.hostAliases && { extraHosts: extraHosts(spec.hostAliases) }),
    ...sysctlsOf(spec),
    ...(spec.resources && { resources: resourceLimits(spec.resources, "spec.resources", warnings) }),
    exitPolicy: "stop",
    restart: { name: restartPolicy(spec.restartPolicy), maximumRetryCount: 0 },
  }
}

/** Default: always. Throws InvalidArgument. Pure. */
export function restartPolicy(word: string | undefined): RestartPolicy["name"] {
  const known = RESTART.get((word || "Always").toLowerCase())
  if (known === undefined)
    throw fieldFault("spec.restartPolicy", `"${word?.slice(0, 40)}" is none of Always, OnFailure and Never`)
  return known
}

function portsOf(
  spec: NodePodSpec,
  { publishAll = false }: NodeInput,
  annotations: Annotations,
): PodOptions["ports"] & object {
  return spec.containers.flatMap((container, index) =>
    publishedPorts(
      [{ container, path: `spec.containers[${index}]` }],
      publishAll || publishesAll(annotations, container.name),
    ),
  )
}

/** With the host's network goes its name. */
function namespacesOf({ hostPID, hostIPC, hostNetwork, shareProcessNamespace }: NodePodSpec): NamespaceOptions {
  if (hostPID && shareProcessNamespace)
    throw fieldFault("spec.shareProcessNamespace", "ShareProcessNamespace and HostPID cannot both be enabled")
  const host = { kind: "host" } as const
  return { ...(hostPID && { pid: host }), ...(hostIPC && { ipc: host }), ...(hostNetwork && { uts: host }) }
}

function hostnameOf(spec: NodePodSpec, name: string, { namespace }: NodeFacts): string {
  if (spec.hostnameOverride) return checkedHostname(spec.hostnameOverride, "spec.hostnameOverride")
  // a pod's name may be longer than a host's may be
  const own = spec.hostname ? checkedHostname(spec.hostname, "spec.hostname") : name.slice(0, MAX_HOSTNAME)
  if (!spec.setHostnameAsFQDN || !spec.subdomain) return own
  const full = `${own}.${spec.subdomain}.${namespace}.svc.cluster.local`
  if (full.length > MAX_HOSTNAME)
    throw fieldFault("spec.setHostnameAsFQDN", `the name ${full} has ${full.length} characters, ${MAX_HOSTNAME} fit`)
  return full
}

function checkedHostname(text: string, path: string): string {
  if (!/^[a-zA-Z0-9](?:[a-zA-Z0-9._-]{0,62})$/.test(text))
    throw fieldFault(path, `"${text.slice(0, 100)}" is no host name`)
  return text
}

/** `None`: what dnsConfig says alone; else it comes before what the host has. */
function dnsOptions({ dnsPolicy, dnsConfig = {} }: NodePodSpec): Pick<PodOptions, "dns" | "dnsSearch" | "dnsOptions"> {
  if (dnsPolicy !== undefined && !DNS_POLICIES.has(dnsPolicy))
    throw fieldFault("spec.dnsPolicy", `"${dnsPolicy.slice(0, 40)}" is no policy`, { valid: [...DNS_POLICIES] })
  const { nameservers = [], searches = [], options = [] } = dnsConfig
  if (dnsPolicy === "None" && nameservers.length === 0)
    throw fieldFault("spec.dnsConfig.nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None")
  const wrong = nameservers.find((address) => !isIpAddress(address))
  if (wrong !== undefined) throw fieldFault("spec.dnsConfig.nameservers", `"${wrong.slice(0, 60)}" is no address`)
  const words = options.map(({ name = "", value }) => (value === undefined ? name : `${name}:${value}`))
  for (const word of [...searches, ...words])
    if (/\s/.test(word)) throw fieldFault("spec.dnsConfig", `"${word.slice(0, 60)}" has a space`)
  return {
    ...(nameservers.length > 0 && { dns: nameservers }),
    // a dot alone: none of the host's
    ...(searches.length > 0 ? { dnsSearch: searches } : dnsPolicy === "None" ? { dnsSearch: ["."] } : {}),
    ...(words.length > 0 && { dnsOptions: words }),
  }
}

function extraHosts(aliases: NonNullable<PodSpec["hostAliases"]>): string[] {
  return aliases.flatMap(({ ip = "", hostnames = [] }, index) => {
    const path = `spec.hostAliases[${index}]`
    if (!isIpAddress(ip)) throw fieldFault(`${path}.ip`, `"${ip.slice(0, 60)}" is no address`)
    return hostnames.map((name) => {
      if (!/^[\w.-]{1,253}$/.test(name))
        throw fieldFault(`${path}.hostnames`, `"${name.slice(0, 100)}" is no host name`)
      return `${name}:${ip}`
    })
  })
}

function sysctlsOf({ securityContext }: NodePodSpec): Pick<PodOptions, "sysctls"> {
  const { sysctls = [] } = securityContext ?? {}
  if (sysctls.length === 0) return {}
  const entries = sysctls.map(({ name = "", value = "" }, index) => {
    if (!/^[\w./-]{1,253}$/.test(name))
      throw fieldFault(`spec.securityContext.sysctls[${index}].name`, `"${name.slice(0, 100)}" is no name of a sysctl`)
    return [name, value]
  })
  return { sysctls: Object.fromEntries(entries) as Record<string, string> }
}
