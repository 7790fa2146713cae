import { FailedPrecondition } from "../../base/errors.ts"
import type { Pod, PodTemplateSpec } from "kubernetes-types/core/v1"
import { AwaitsAdmission } from "../api/admission/webhooks/gate.ts"
import type { StoredMetadata } from "../objects/objects.ts"
import type { Cluster } from "./cluster.ts"
import { controllerReference } from "./owners.ts"
import type { KeptPod } from "./pod-state.ts"
import type { Recorder } from "./recorder.ts"

/** As the API server bounds what one look may make. */
export const BURST = 500
/**
 * Of all controllers together: far beyond what a machine runs, so that who asks for a billion has pods that wait, and not a store without
 * an end.
 */
const MOST_PODS = 10_000

/** What a controller works with. */
export interface ControllerDeps {
  cluster: Cluster
  recorder: Recorder
  now(): number
  /** The certificate of the API's authority, in PEM; undefined: nobody has served the API yet. */
  authority?(): string | undefined
}

interface Owner {
  apiVersion: string
  kind: string
  metadata: StoredMetadata
}

/** A pod that a controller makes. */
export interface RequestedPod {
  template: PodTemplateSpec
  /** Default: a name of chance. */
  name?: string
  /** What a name of chance begins with. Default: the owner's name. */
  prefix?: string
  labels?: Readonly<Record<string, string>>
  annotations?: Readonly<Record<string, string>>
  /** What is to be said otherwise than in the template. */
  spec?: object
  finalizers?: readonly string[]
  component: string
}

/** Makes a pod that the owner controls, and tells of it. Throws what the store throws, after it was told. */
export function createPod({ cluster, recorder }: ControllerDeps, owner: Owner, requested: RequestedPod): KeptPod {
  const { template, name, prefix = owner.metadata.name, labels, annotations, spec, finalizers, component } = requested
  const { namespace } = owner.metadata
  try {
    if (cluster.count("pods") >= MOST_PODS)
      throw new FailedPrecondition(`there are ${MOST_PODS} pods: no controller makes more on this node`)
    const pod = cluster.create<Pod>("pods", {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        ...(name === undefined ? { name: "", generateName: `${prefix}-` } : { name }),
        namespace,
        labels: { ...template.metadata?.labels, ...labels },
        ...((template.metadata?.annotations ?? annotations) && {
          annotations: { ...template.metadata?.annotations, ...annotations },
        }),
        ...((template.metadata?.finalizers ?? finalizers) && {
          finalizers: [...(template.metadata?.finalizers ?? []), ...(finalizers ?? [])],
        }),
        ownerReferences: [controllerReference(owner)],
      },
      spec: { ...template.spec, ...spec },
      status: { phase: "Pending" },
    })
    recorder.tell(owner, { reason: "SuccessfulCreate", message: `Created pod: ${pod.metadata.name}`, component })
    return pod
  } catch (error) {
    if (error instanceof AwaitsAdmission) throw error
    const message = `Error creating: ${(error as Error).message}`
    recorder.tell(owner, { type: "Warning", reason: "FailedCreate", message, component })
    throw error
  }
}

/** Its end is begun, and told. Safe to repeat. */
export function deletePod({ cluster, recorder }: ControllerDeps, owner: Owner, pod: KeptPod, component: string): void {
  if (pod.metadata.deletionTimestamp !== undefined) return
  cluster.delete("pods", pod)
  recorder.tell(owner, { reason: "SuccessfulDelete", message: `Deleted pod: ${pod.metadata.name}`, component })
}
