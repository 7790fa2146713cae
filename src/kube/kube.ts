/**
 * Kubernetes: what is here as its documents (containers and pods as a Pod or what makes such pods, volumes as claims, published ports as a
 * Service), its documents played as pods, its objects kept and served on this machine, and kubectl's verbs on those or another cluster's.
 */

import type { Cancellable } from "../base/cancel.ts"
import type { KubeObject } from "./kube-object.ts"
import type { Project } from "../compose/compose.ts"
import type { ConvertedProject, ConvertOptions } from "./from-compose/convert-options.ts"
import type { DownReport, KubeFile, PlayOptions, PlayReport } from "./play/play-options.ts"

export type { ConvertedProject, ConvertOptions } from "./from-compose/convert-options.ts"
export type { KubeObject } from "./kube-object.ts"
export type { DownReport, KubeFile, KubeWarning, PlayedPod, PlayOptions, PlayReport } from "./play/play-options.ts"
export type {
  DeleteOptions,
  KubeObjects,
  ObjectChange,
  ObjectList,
  OwnerReference,
  StoredMetadata,
  StoredObject,
} from "./objects/objects.ts"
export type { ResourceKind } from "./objects/kinds.ts"
export type { Loss } from "./from-compose/losses.ts"
export type { ApiRequest, ApiResponse, ApiUser, Connection as PodConnection, KubeApi, WatchEvent } from "./api/api.ts"
export type { HookNetwork } from "./api/admission/webhooks/call.ts"
export { OWNER } from "./api/api.ts"
export { Places } from "./ingress/limits.ts"
export { publishAuthority } from "./api/admission/service-account.ts"
export { accountOf } from "./api/accounts.ts"
export { Tokens } from "./api/tokens.ts"
export { POD_UID_LABEL } from "./node/agent/labels.ts"
export * from "./client/client.ts"

/** What makes the pods. */
export type WorkloadKind = "pod" | "deployment" | "daemonset" | "job"

export interface ManifestOptions {
  /** Default `pod`. */
  kind?: WorkloadKind
  /** A Service for the published ports, too. */
  service?: boolean
  /** Of a deployment. Default 1. */
  replicas?: number
  /** Also annotations that are of use to podman and here alone. */
  podmanOnly?: boolean
}

/** What can be made of containers, pods and volumes by name. */
export interface Kube {
  /**
   * Containers named together become one pod. Order: claims, services, workloads. Throws NotFound for a name that is none of the
   * three, InvalidArgument for a container that belongs to a pod, FailedPrecondition for what Kubernetes cannot say.
   */
  manifests(names: readonly string[], options?: ManifestOptions): Promise<KubeObject[]>
  /** A compose project as objects of a cluster, and every key of it that they do not say. */
  fromCompose(project: Project, options: ConvertOptions): Promise<ConvertedProject>
  /**
   * Makes pods, volumes and secrets of what files say (Pod, Deployment, DaemonSet, Job, PersistentVolumeClaim, ConfigMap, Secret); other
   * kinds are passed over and told of. Throws InvalidArgument, NotFound, AlreadyExists for a pod's name: nothing of that pod is left then.
   */
  play(files: readonly KubeFile[], options: PlayOptions): Promise<PlayReport>
  /** Takes away the pods and secrets that files name; `force`: the volumes of their claims, too. Safe to repeat. */
  down(files: readonly KubeFile[], options?: Cancellable & { force?: boolean }): Promise<DownReport>
}

/**
 * The controllers and the node agent: what makes the objects true. The supervisor runs it (supervisor/), in one process of a store. It holds
 * caches and timers, no truth, and may be killed at any moment; whoever writes an object has the supervisor started, by the write itself.
 */
export interface KubeControl {
  /** Until `signal`, or until there has been nothing to control for a while. Throws what it cannot work without. */
  run(options: { signal: AbortSignal }): Promise<void>
}

/** Objects as clients in Go send them; loads when one does. */
export const protobuf = (): Promise<typeof import("./api/protobuf/decode.ts")> => import("./api/protobuf/decode.ts")

/** The Service by which pods reach the API, for who serves it. */
export const apiService = (): Promise<typeof import("./services/api-service.ts")> => import("./services/api-service.ts")
