/**
 * What one node makes of a Pod: the options of a pod and its containers, what must be there before them, and every field that is not
 * honoured. `translatePod` is a function of its input alone; `prepareVolumes` makes what it names.
 *
 *   a checked Pod ─ translatePod ─▶ NodePod ─ prepareVolumes ─▶ Pods.create(pod) ─▶ Containers.create(each of containers, in order)
 *
 * Whoever calls it has pulled the images, and answers for ConfigMaps, Secrets and claims.
 */
import type { ConfigMap, Pod, Secret } from "kubernetes-types/core/v1"
import type { ContainerOptions, UserNamespaceMode } from "../../container/container.ts"
import type { PodOptions } from "../../pod/pod.ts"
import type { ImageRunConfig } from "../../spec/oci-image.ts"
import type { FieldWarning } from "../read/check-object.ts"
import type { ContainerHooks } from "./hooks.ts"
import type { ContainerProbes } from "./probes.ts"

export type { FieldWarning } from "../read/check-object.ts"

/** What a pod's claim stands for. */
export interface ClaimedVolume {
  /** A volume of the engine: it is made when it is not there. */
  volume: string
  /** The image's files at its place go into it while it is empty, as into podman's volumes. A cluster never does. */
  copyUp: boolean
  /** That it is made with, where the store's file system can. */
  sizeBytes?: number
}

/** What a Pod refers to, by name, in its namespace. Undefined: it is not there. */
export interface NodeSources {
  configMap(name: string): ConfigMap | undefined
  /** `data` in base64, `stringData` as it is. */
  secret(name: string): Secret | undefined
  claim(name: string): ClaimedVolume | undefined
  /** What the image of that name says of itself. */
  image(reference: string): ImageRunConfig | undefined
  /** A token of the pod's service account. Absent: nobody gives any here. Throws NotFound for an account that is not there. */
  token?(request: { audience: string | undefined; seconds: number }): string
}

/** What the downward API tells of the pod and its node. */
export interface NodeFacts {
  uid: string
  namespace: string
  nodeName: string
  hostIps: readonly string[]
  /** Undefined: they are not known yet, and a container that asks for them is refused. */
  podIps?: readonly string[]
  /** What a container may use that has no limit. */
  cpus: number
  memoryBytes: number
}

/** A Pod and all that it is translated with. */
export interface NodeInput {
  /** Of the shape `Pod` (`checkObject`). */
  pod: Pod
  sources: NodeSources
  facts: NodeFacts
  /**
   * The engine's volume for one of the pod's own (emptyDir, configMap …): of no other pod, and the same each time it is asked. `object`: the
   * ConfigMap or Secret that its files are of.
   */
  volumeName(podVolume: string, object?: string): string
  /** Default: `<pod>-<container>`. */
  containerName?(container: string): string
  /**
   * Annotations by which podman's YAML says what Kubernetes cannot, and those that a runtime reads, have no effect: in a cluster whoever looks at
   * a Pod reads its fields, and one that takes the volumes of another container or another filter of system calls must not hide there.
   */
  withoutEngineAnnotations?: boolean
  /** Ports of containers without a `hostPort` get one of the same number. Default false. */
  publishAll?: boolean
  /** Of its containers, in the place of what the Pod says of it. */
  userNamespace?: UserNamespaceMode
  /** Where `localhostProfile` of seccomp lies. Default: kubelet's, /var/lib/kubelet/seccomp. */
  seccompRoot?: string
}

/** What is to be made. */
export interface NodePod {
  pod: PodOptions
  /** In the order of their making: init containers and sidecars, then the others. */
  containers: readonly NodeContainer[]
  volumes: readonly NodeVolume[]
  warnings: readonly FieldWarning[]
}

/** One container of a pod. */
export interface NodeContainer {
  /** As the Pod has it. */
  name: string
  /** `spec.containers[0]`. */
  path: string
  /** `sidecar`: an init container that stays. */
  role: "init" | "sidecar" | "main"
  /** For `Pods.containerOptions`. Its image is here by then. */
  options: ContainerOptions
  pull: PullPolicy
  /** As data; liveness and startup are health checks of `options`, too. */
  probes: ContainerProbes
  /** As data: the engine runs none. */
  hooks: ContainerHooks
}

/** One volume of a pod that is made or looked at before its containers are. */
export type NodeVolume = {
  /** As the Pod calls it. */
  name: string
  /** `spec.volumes[0]`. */
  path: string
} & (
  | {
      kind: "empty"
      /** Of the engine, of this pod alone. */
      volume: string
      inMemory: boolean
      sizeLimitBytes?: number
      groupId?: number
      /** Directories in it that are made where they are not there: `subPath`s. */
      subpaths: readonly string[]
    }
  | { kind: "files"; volume: string; files: readonly NodeFile[]; groupId?: number }
  | ({ kind: "claim"; readOnly: boolean; groupId?: number; subpaths: readonly string[] } & ClaimedVolume)
  | { kind: "host"; hostPath: string; type: HostPathType; subpaths: readonly string[] }
  | { kind: "image"; reference: string; pull: PullPolicy }
)

/** `newer`: the one that is here is taken where its registry cannot be asked. */
export type PullPolicy = "always" | "newer" | "missing" | "never"

/** One file of a volume, of root and the volume's group. */
export interface NodeFile {
  /** Relative, clean. */
  name: string
  data: Uint8Array
  mode: number
}

/** `hostPath.type`. */
export type HostPathType =
  "" | "DirectoryOrCreate" | "Directory" | "FileOrCreate" | "File" | "Socket" | "CharDevice" | "BlockDevice"
