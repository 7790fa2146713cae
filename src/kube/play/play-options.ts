import type { Cancellable } from "../../base/cancel.ts"
import type { OnProgress } from "../../base/progress.ts"
import type { ContainerOptions, UserNamespaceMode } from "../../container/container.ts"
import type { PodOptions } from "../../pod/pod.ts"
import type { RegistryAccess } from "../../registry/registry.ts"
import type { PortMapping } from "../../spec/docker/port-mapping.ts"

/** A text of Kubernetes' objects. */
export interface KubeFile {
  /** As errors call it. */
  name: string
  bytes: Uint8Array
}

/** Something that is not done as an object says. */
export interface KubeWarning {
  /** `pod.yaml:3`. */
  place: string
  /** `Pod "web"`. */
  object: string
  /** `spec.containers[0].imag`; absent: all of it. */
  path?: string
  text: string
  /** To be told where somebody reads it: podman says nothing of what it passes over. */
  isInfo?: true
}

/** How objects become pods, volumes and secrets. All may be left out but where images are built. */
export interface PlayOptions extends Cancellable {
  /** What is not honoured is an error, before anything is made. */
  strict?: boolean
  /** On top of those of each pod and claim. */
  annotations?: Readonly<Record<string, string>>
  labels?: Readonly<Record<string, string>>
  /** ConfigMaps that are in no file that is played. */
  configMaps?: readonly KubeFile[]
  /** Images whose directory is found: those that are missing, all of them, or none. Default `missing`. */
  build?: "missing" | "always" | "never"
  /** Directories named as images lie here. */
  contextDirectory: string
  registry?: RegistryAccess
  log?: ContainerOptions["log"]
  /** Default: the network `podman-default-kube-network`, or what the pod says of the host's. */
  network?: Pick<PodOptions, "network" | "networks" | "address" | "macAddress">
  /** Of the pods, in order. */
  addresses?: readonly string[]
  macAddresses?: readonly string[]
  noHosts?: boolean
  noHostname?: boolean
  /** Containers are called as in their pod. Default: with the pod's name before it. */
  noPodPrefix?: boolean
  /** On top of the pods' own; one of the same port and protocol of the container goes before it. */
  publish?: readonly PortMapping[]
  publishAll?: boolean
  seccompRoot?: string
  /** Of all containers. Default: what their pod says, else the engine's. */
  userNamespace?: UserNamespaceMode
  /** Default true. */
  start?: boolean
  onProgress?: OnProgress
  /** A line of what a build writes. */
  onBuildLog?: (bytes: Uint8Array) => void
  /** Hears of each before anything is made, and of what this host cannot do as it is found. */
  onWarning?: (warning: KubeWarning) => void
}

/** One pod that was made. */
export interface PlayedPod {
  id: string
  name: string
  /** Ids, in the order of the file, without init containers. */
  containers: readonly string[]
  /** Of containers that could not be started. */
  failures: readonly unknown[]
}

/** What was made. */
export interface PlayReport {
  volumes: readonly string[]
  /** Ids. */
  secrets: readonly string[]
  pods: readonly PlayedPod[]
}

/** What was taken away: ids of pods and secrets, names of volumes, and what could not be. */
export interface DownReport {
  stopped: readonly string[]
  removed: readonly string[]
  secrets: readonly string[]
  volumes: readonly string[]
  failures: readonly unknown[]
}

/** The network that pods are on which name none: podman's. */
export const PLAY_NETWORK = "podman-default-kube-network"
