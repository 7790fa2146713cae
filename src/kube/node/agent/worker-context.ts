import type { KeptPod } from "../../controllers/pod-state.ts"
import type { NodeContext } from "./node-context.ts"

/** Why a container waits, in the words of a pod's status. */
export interface Waiting {
  reason: string
  message?: string
}

/** What the parts of a pod's worker are handed. */
export interface WorkerContext {
  node: NodeContext
  /** Of the pod. */
  uid: string
  /** By the containers' names. */
  waiting: Map<string, Waiting>
  /** Looks at the pod. */
  wake(): void
  /** Looks at the pod when `ms` are over, or sooner. */
  again(ms: number): void
  /** The same after what could not be done: later each time, up to `most` doublings. */
  retry(most?: number): void
  /** Writes an event; `fieldPath` names the container. */
  tell(pod: KeptPod, type: "Normal" | "Warning", reason: string, message: string, fieldPath?: string): void
  /** Lets a container wait that cannot be made. */
  refuse(pod: KeptPod, container: string, reason: string, message: string): void
}
