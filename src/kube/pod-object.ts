import type { ContainerDetails, ContainerOptions, NamespaceOptions, NetworkMode } from "../container/container.ts"
import type { ImageRunConfig } from "../spec/oci-image.ts"
import type { PortMapping } from "../spec/docker/port-mapping.ts"
import type { RestartPolicy } from "../spec/docker/restart-policy.ts"
import { containerObject, portObjects } from "./container-object.ts"
import type { KubeObject } from "./kube.ts"
import { kubeName } from "./names.ts"
import { podmanAnnotations } from "./podman-annotations.ts"
import { volumesOf, type KubeVolumes } from "./volumes.ts"

const DEFAULT_STOP_SECONDS = 10

/** A container, and what its image says. */
export interface KubeMember {
  details: ContainerDetails
  image: ImageRunConfig
}

/** What a pod is made of: a pod's, or that of containers alone. */
export interface PodPlan {
  name: string
  createdAt: Date
  members: readonly KubeMember[]
  labels?: Readonly<Record<string, string>>
  hostname?: string
  network?: NetworkMode
  namespaces?: NamespaceOptions
  sharesProcesses?: boolean
  /** Of the pod; a container's own are its own. */
  ports?: readonly PortMapping[]
  restart?: RestartPolicy
  dns?: Pick<ContainerOptions, "dns" | "dnsSearch" | "dnsOptions">
  extraHosts?: readonly string[]
  sysctls?: Readonly<Record<string, string>>
  /** Where it was chosen. */
  sandboxName?: string
  /** Annotations that are of use to podman and here alone. */
  podmanOnly?: boolean
  isFile(path: string): boolean
}

/** `v1` Pod. Pure but for `isFile`. */
export function podObject(plan: PodPlan): KubeObject {
  const name = kubeName(plan.name)
  const { podmanOnly, sandboxName } = plan
  const members = plan.members.map(({ details }) => ({ name: memberName(plan, details.name), details }))
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      creationTimestamp: plan.createdAt.toISOString().replace(/\.\d+Z$/, "Z"),
      labels: { app: name, ...plan.labels },
      annotations: podmanAnnotations(members, { podmanOnly, sandboxName }),
    },
    spec: podSpec(plan),
  }
}

function podSpec(plan: PodPlan): object {
  const { members, network, namespaces = {}, dns = {}, extraHosts = [], hostname } = plan
  const parts = members.map((member) => ({ ...member, volumes: volumesOf(member.details, plan.isFile) }))
  const [init, others] = [true, false].map((isInit) =>
    parts.filter(({ details }) => (details.options.initContainer !== undefined) === isInit),
  )
  const stops = members.map(({ details }) => details.run.stopTimeoutSeconds)
  const longest = Math.max(DEFAULT_STOP_SECONDS, ...stops)
  return {
    containers: containersOf(plan, others ?? [], plan.ports ?? []),
    initContainers: init === undefined || init.length === 0 ? undefined : containersOf(plan, init, []),
    dnsConfig: dnsConfig(dns),
    hostAliases: hostAliases(extraHosts),
    hostIPC: namespaces.ipc?.kind === "host" ? true : undefined,
    hostNetwork: network?.kind === "host" ? true : undefined,
    hostUsers: members.some(({ details }) => hasOwnUsers(details)) ? false : undefined,
    hostPID: namespaces.pid?.kind === "host" ? true : undefined,
    // a pod is called as it is by itself
    hostname: hostname === plan.name ? undefined : hostname,
    securityContext: podSecurity(plan),
    restartPolicy: restartPolicy(plan),
    shareProcessNamespace: plan.sharesProcesses ? true : undefined,
    terminationGracePeriodSeconds: longest === DEFAULT_STOP_SECONDS ? undefined : longest,
    volumes: podVolumes(parts.map(({ volumes }) => volumes)),
  }
}

function podSecurity({ members, sysctls = {} }: PodPlan): object | undefined {
  const groups = [...new Set(members.flatMap(({ details }) => details.options.groupAdd))].filter((id) =>
    /^\d+$/.test(id),
  )
  const named = { ...sysctls, ...Object.assign({}, ...members.map(({ details }) => details.options.sysctls)) } as object
  const own = Object.entries(named).map(([name, value]) => ({ name, value: value as string }))
  if (groups.length + own.length === 0) return undefined
  return {
    supplementalGroups: groups.length === 0 ? undefined : groups.map(Number),
    sysctls: own.length === 0 ? undefined : own,
  }
}

function hasOwnUsers({ options: { userNamespace } }: ContainerDetails): boolean {
  const kind = userNamespace?.kind ?? "host"
  return kind === "auto" || kind === "mapped" || kind === "subordinate" || kind === "nomap"
}

/** One that was played is called with its pod's name before its own: that is not said twice. */
function memberName({ name }: PodPlan, container: string): string {
  const own = container.startsWith(`${name}-`) ? container.slice(name.length + 1) : ""
  return kubeName(own === "" ? container : own)
}

/** The pod's ports stand at its first container, as one of a pod of Kubernetes has them. */
function containersOf(
  plan: PodPlan,
  members: readonly (KubeMember & { volumes: KubeVolumes })[],
  ports: readonly PortMapping[],
): object[] {
  return members.map(({ details, image, volumes }, index) => {
    const isSidecar = details.options.initContainer === "sidecar"
    const object = {
      ...containerObject(details, image, volumes.mounts),
      name: memberName(plan, details.name),
      restartPolicy: isSidecar ? "Always" : undefined,
    }
    return index === 0 && ports.length > 0 ? Object.assign(object, { ports: portObjects(ports) }) : object
  })
}

/** Each once: two containers may mount the same. */
function podVolumes(all: readonly KubeVolumes[]): object[] | undefined {
  const byName = new Map(all.flatMap(({ volumes }) => volumes.map((volume) => [volume.name, volume] as const)))
  return byName.size === 0 ? undefined : [...byName.values()]
}

function restartPolicy({ restart, members }: PodPlan): string {
  switch ((restart ?? members[0]?.details.options.restart)?.name) {
    case "always":
    case "unless-stopped":
      return "Always"
    case "on-failure":
      return "OnFailure"
    default:
      return "Never"
  }
}

function dnsConfig({ dns = [], dnsSearch = [], dnsOptions = [] }: NonNullable<PodPlan["dns"]>): object | undefined {
  if (dns.length + dnsSearch.length + dnsOptions.length === 0) return undefined
  const options = dnsOptions.map((text) => {
    const [name = "", value] = text.split(":", 2)
    return { name, value }
  })
  return {
    nameservers: dns.length === 0 ? undefined : [...dns],
    searches: dnsSearch.length === 0 ? undefined : [...dnsSearch],
    options: options.length === 0 ? undefined : options,
  }
}

function hostAliases(extraHosts: readonly string[]): object[] | undefined {
  if (extraHosts.length === 0) return undefined
  const byAddress = Map.groupBy(extraHosts, (text) => text.slice(text.indexOf(":") + 1))
  return [...byAddress].map(([ip, texts]) => ({ hostnames: texts.map((text) => text.slice(0, text.indexOf(":"))), ip }))
}
