import { InvalidArgument } from "../../base/errors.ts"
import type { PodOptions } from "../../pod/pod.ts"
import type { PortMapping } from "../../spec/docker/port-mapping.ts"
import type * as Cri from "../protocol/messages.ts"
import { written } from "../notes.ts"
import { podName } from "./names.ts"
import { podNamespaces } from "./namespaces.ts"

/** What of the host and of the server a sandbox depends on. */
export interface PodHost {
  /** That sandboxes are on. */
  network: string
  /** Cgroups can be made where kubelet wants them. */
  hasCgroupParents: boolean
}

const PROTOCOLS = { TCP: "tcp", UDP: "udp", SCTP: "sctp" } as const

/** The pod that is a sandbox. Throws InvalidArgument. Pure. */
export function podOptions(config: Cri.PodSandboxConfig, runtimeHandler: string, host: PodHost): PodOptions {
  const { metadata, linux } = config
  const context = linux?.security_context ?? null
  const namespaces = podNamespaces(context?.namespace_options ?? null)
  const isHosts = namespaces.network?.kind === "host"
  if (context !== null && context.run_as_group !== null && context.run_as_user === null)
    throw new InvalidArgument("a group without a user: run_as_group needs run_as_user", { field: "run_as_group" })
  const name = podName(metadata)
  const parent = linux?.cgroup_parent ?? ""
  return {
    name,
    sandboxName: name,
    labels: config.labels,
    // hostname(7): at most 63 characters; with the node's network it is the node's
    ...(!isHosts && { hostname: (config.hostname || (metadata?.name ?? "")).slice(0, 63) }),
    ...namespaces,
    ...(!isHosts && { network: { kind: "bridge", name: host.network }, ports: config.port_mappings.flatMap(portOf) }),
    ...dnsOf(config.dns_config),
    sysctls: linux?.sysctls ?? {},
    ...(parent !== "" && host.hasCgroupParents && { cgroupParent: parent }),
    notes: written({
      metadata: metadata ?? { name: "", uid: "", namespace: "", attempt: 0 },
      annotations: config.annotations,
      logDirectory: config.log_directory,
      namespaces: context?.namespace_options ?? null,
      isPrivileged: context?.privileged ?? false,
      runtimeHandler,
    }),
  }
}

/** Without a port of the host nothing is published. */
function portOf({ protocol, container_port, host_port, host_ip }: Cri.PortMapping): PortMapping[] {
  if (host_port === 0) return []
  for (const port of [container_port, host_port])
    if (port < 1 || port > 65_535)
      throw new InvalidArgument(`the port ${port} is out of range`, { field: "port_mappings" })
  return [
    {
      protocol: PROTOCOLS[protocol],
      containerPort: container_port,
      hostPort: host_port,
      ...(host_ip !== "" && { hostAddress: host_ip }),
    },
  ]
}

/** What it says is all that there is: no search domain of the node comes in between. */
function dnsOf(dns: Cri.DNSConfig | null): Pick<PodOptions, "dns" | "dnsSearch" | "dnsOptions"> {
  if (dns === null || dns.servers.length + dns.searches.length + dns.options.length === 0) return {}
  return { dns: dns.servers, dnsSearch: dns.searches.length > 0 ? dns.searches : ["."], dnsOptions: dns.options }
}
