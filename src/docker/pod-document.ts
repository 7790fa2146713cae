/** Podman's documents of pods: its inspect, and its rows. The sandbox stands for podman's infra container. */
import { mountSource } from "../spec/docker/mount-request.ts"
import type { ContainerState } from "../container/container.ts"
import type { Pod, PodOptions } from "../pod/pod.ts"
import { formatEgressRule } from "../spec/docker/egress-rule.ts"
import { formatAgo } from "./ages.ts"
import { portMap } from "./port-map.ts"

const SHORT_ID = 12

/** Podman's words for what is shared. */
const SHARED = { network: "net", ipc: "ipc", uts: "uts", pid: "pid" } as const

interface Member {
  id: string
  name: string
  status: ContainerState["status"]
}

/** Podman's inspect document (libpod InspectPodData), by its names. */
export function podDocument(pod: Pod): Record<string, unknown> {
  const { options, sandbox, sandboxId } = pod
  const { resources = {} } = options
  return {
    Id: pod.id,
    Name: pod.name,
    Created: pod.createdAt.toISOString(),
    ExitPolicy: options.exitPolicy ?? "continue",
    State: pod.status,
    Hostname: sandbox?.options.hostname ?? "",
    Labels: options.labels ?? {},
    CreateCgroup: sandbox?.cgroupPath !== undefined,
    CgroupParent: options.cgroupParent ?? "",
    CgroupPath: sandbox?.cgroupPath ?? "",
    CreateInfra: sandboxId !== undefined,
    InfraContainerID: sandboxId ?? "",
    ...(sandboxId === undefined ? {} : { InfraConfig: infraConfig(pod) }),
    SharedNamespaces: sharedNames(pod),
    NumContainers: members(pod).length,
    Containers: members(pod).map(({ id, name, status }) => ({ Id: id, Name: name, State: status })),
    cpu_period: resources.cpuPeriodUs ?? 0,
    cpu_quota: resources.cpuQuotaUs ?? Math.round((resources.cpus ?? 0) * 100_000),
    cpu_shares: resources.cpuShares ?? 0,
    cpuset_cpus: resources.cpusetCpus ?? "",
    cpuset_mems: resources.cpusetMems ?? "",
    memory_limit: resources.memoryBytes ?? 0,
    memory_swap: resources.memorySwapBytes ?? 0,
    security_opt: options.securityOptions ?? [],
    mounts: (options.mounts ?? []).map((mount) => ({
      Type: mount.type,
      Source: mountSource(mount) ?? "",
      Destination: mount.target,
      RW: !mount.readOnly,
    })),
    devices: (options.devices ?? []).map(({ hostPath, containerPath, permissions }) => ({
      PathOnHost: hostPath,
      PathInContainer: containerPath,
      CgroupPermissions: permissions,
    })),
    RestartPolicy: options.restart?.name ?? "no",
    LockNumber: 0,
  }
}

function infraConfig({ options, sandbox }: Pod): Record<string, unknown> {
  const { network = { kind: "bridge", name: "bridge" } } = options
  return {
    PortBindings: portMap(sandbox?.endpoints[0]?.ports ?? options.ports ?? [], "0.0.0.0"),
    HostNetwork: network.kind === "host",
    ...(options.allow && { NetworkAllow: options.allow.map(formatEgressRule) }),
    StaticIP: options.address ?? "",
    StaticMAC: options.macAddress ?? "",
    NoManageResolvConf: false,
    DNSServer: options.dns ?? [],
    DNSSearch: options.dnsSearch ?? [],
    DNSOption: options.dnsOptions ?? [],
    NoManageHosts: false,
    HostAdd: options.extraHosts ?? [],
    Networks: networkNames(options),
    NetworkOptions: null,
    pid_ns: options.shares?.includes("pid") ? "pod" : "private",
    userns: "host",
    uts_ns: "private",
    IPAddresses: Object.fromEntries((sandbox?.endpoints ?? []).map(({ network: name, address }) => [name, address])),
  }
}

function networkNames({
  network = { kind: "bridge", name: "bridge" },
  networks,
  moreNetworks = [],
}: PodOptions): string[] {
  if (network.kind !== "bridge") return []
  return networks?.map((one) => one.network) ?? [network.name, ...moreNetworks]
}

function sharedNames({ options, sandboxId }: Pod): string[] {
  if (sandboxId === undefined) return []
  return (options.shares ?? (["ipc", "network", "uts"] as const)).map((kind) => SHARED[kind]).toSorted()
}

/** With the sandbox, which is first, as an infra container is. */
function members({ containers, sandbox, sandboxId, options, id }: Pod): Member[] {
  const all = containers.map((one): Member => ({ id: one.id, name: one.name, status: one.state.status }))
  if (sandboxId === undefined) return all
  const name = sandbox?.name ?? options.sandboxName ?? `${id.slice(0, SHORT_ID)}-infra`
  return [{ id: sandboxId, name, status: infraStatus(all, sandbox) }, ...all]
}

function infraStatus(containers: readonly Member[], sandbox: Pod["sandbox"]): Member["status"] {
  if (sandbox?.state.status !== "ready") return sandbox?.startedAt === undefined ? "created" : "exited"
  const has = (status: string): boolean => containers.some((one) => one.status === status)
  return has("paused") && !has("running") ? "paused" : "running"
}

/** One of the objects of `pod ps --format json`. */
export function podListDocument(pod: Pod): Record<string, unknown> {
  return {
    Cgroup: pod.sandbox?.cgroupPath ?? "",
    Containers: members(pod).map(({ id, name, status }) => ({ Id: id, Names: name, Status: status })),
    Created: pod.createdAt.toISOString(),
    Id: pod.id,
    InfraId: pod.sandboxId ?? "",
    Name: pod.name,
    Namespace: "",
    Networks: pod.sandboxId === undefined ? [] : networkNames(pod.options),
    Status: pod.status,
    Labels: pod.options.labels ?? {},
  }
}

/** A line of `pod ps`: the fields that podman's templates name. */
export function podRow(pod: Pod, { noTrunc = false, now = new Date() } = {}): object {
  const all = members(pod)
  const short = (id: string): string => (noTrunc ? id : id.slice(0, SHORT_ID))
  const labels = pod.options.labels ?? {}
  return {
    Cgroup: pod.sandbox?.cgroupPath ?? "",
    ContainerIds: all.map(({ id }) => short(id)).join(","),
    ContainerNames: all.map(({ name }) => name).join(","),
    ContainerStatuses: all.map(({ status }) => status).join(","),
    Created: formatAgo(pod.createdAt, now),
    CreatedAt: pod.createdAt.toISOString(),
    ID: short(pod.id),
    Id: short(pod.id),
    InfraID: short(pod.sandboxId ?? ""),
    InfraId: short(pod.sandboxId ?? ""),
    Labels: Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(","),
    Label: (key: unknown) => labels[String(key)] ?? "",
    Name: pod.name,
    Namespace: sharedNames(pod).join(","),
    Networks: pod.sandboxId === undefined ? "" : networkNames(pod.options).join(","),
    NumberOfContainers: String(all.length),
    Restarts: String(pod.containers.reduce((sum, { restartCount }) => sum + restartCount, 0)),
    Status: pod.status,
  }
}

/** Column titles of its fields. */
export const POD_TITLES = {
  Cgroup: "CGROUP",
  ContainerIds: "IDS",
  ContainerNames: "NAMES",
  ContainerStatuses: "STATUS",
  Created: "CREATED",
  CreatedAt: "CREATED",
  ID: "POD ID",
  Id: "POD ID",
  InfraID: "INFRA ID",
  InfraId: "INFRA ID",
  Labels: "LABELS",
  Name: "NAME",
  Namespace: "NAMESPACES",
  Networks: "NETWORKS",
  NumberOfContainers: "# OF CONTAINERS",
  Restarts: "RESTARTS",
  Status: "STATUS",
}
