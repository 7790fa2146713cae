/**
 * Kubernetes' objects of what is here: containers and pods as a Pod (or what makes such pods), volumes as claims, published ports as a
 * Service. They are documents; nothing of a cluster is asked.
 */

/** What makes the pods. */
export type WorkloadKind = "pod" | "deployment" | "daemonset" | "job"

export interface ManifestOptions {
  /** Default `pod`. */
  kind?: WorkloadKind
  /** A Service for the published ports, too. */
  service?: boolean
  /** Of a deployment. Default 1. */
  replicas?: number
}

/** One object of the Kubernetes API, as its YAML says it. */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: { name: string; labels?: Readonly<Record<string, string>>; [key: string]: unknown }
  [key: string]: unknown
}

/** What can be made of containers, pods and volumes by name. */
export interface Kube {
  /**
   * Containers named together become one pod. Order: claims, services, workloads. Throws NotFound for a name that is none of the
   * three, InvalidArgument for a container that belongs to a pod, FailedPrecondition for what Kubernetes cannot say.
   */
  manifests(names: readonly string[], options?: ManifestOptions): Promise<KubeObject[]>
}
