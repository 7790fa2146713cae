import type { ContainerDetails, ContainerOptions, NamespaceOptions, NetworkMode } from "../container/container.ts"
import type { ImageRunConfig } from "../spec/oci-image.ts"
import type { PortMapping } from "../spec/docker/port-mapping.ts"
import type { RestartPolicy } from "../spec/docker/restart-policy.ts"
import { containerObject, portObjects } from "./container-object.ts"
import type { KubeObject } from "./kube.ts"
import { kubeName } from "./names.ts"
import { volumesOf, type KubeVolumes } from "./volumes.ts"

const DEFAULT_STOP_SECONDS = 10
const INIT_ANNOTATION = "io.podman.annotations.init.container.type"

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
  isFile(path: string): boolean
}

/** `v1` Pod. Pure but for `isFile`. */
export function podObject(plan: PodPlan): KubeObject {
  const name = kubeName(plan.name)
  const types = plan.members.flatMap(({ details }) =>
    details.options.initContainer === undefined
      ? []
      : [[`${INIT_ANNOTATION}/${kubeName(details.name)}`, details.options.initContainer] as const],
  )
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      creationTimestamp: plan.createdAt.toISOString().replace(/\.\d+Z$/, "Z"),
      labels: { app: name, ...plan.labels },
      annotations: types.length === 0 ? undefined : Object.fromEntries(types),
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
    containers: containersOf(others ?? [], plan.ports ?? []),
    initContainers: init === undefined || init.length === 0 ? undefined : containersOf(init, []),
    dnsConfig: dnsConfig(dns),
    hostAliases: hostAliases(extraHosts),
    hostIPC: namespaces.ipc?.kind === "host" ? true : undefined,
    hostNetwork: network?.kind === "host" ? true : undefined,
    hostPID: namespaces.pid?.kind === "host" ? true : undefined,
    hostname,
    restartPolicy: restartPolicy(plan),
    shareProcessNamespace: plan.sharesProcesses ? true : undefined,
    terminationGracePeriodSeconds: longest === DEFAULT_STOP_SECONDS ? undefined : longest,
    volumes: podVolumes(parts.map(({ volumes }) => volumes)),
  }
}

/** The pod's ports stand at its first container, as one of a pod of Kubernetes has them. */
function containersOf(
  members: readonly (KubeMember & { volumes: KubeVolumes })[],
  ports: readonly PortMapping[],
): object[] {
  return members.map(({ details, image, volumes }, index) => {
    const object = containerObject(details, image, volumes.mounts)
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
