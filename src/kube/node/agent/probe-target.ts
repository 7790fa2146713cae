import type { Containers } from "../../../container/container.ts"
import type { Dial } from "./dial.ts"

/** What a probe found. */
export interface ProbeResult {
  isOk: boolean
  /** What is told of a failure. */
  output: string
}

/** Of one container that runs. */
export interface ProbeTarget {
  containers: Containers
  containerId: string
  /** Of the pod. */
  address: string
  sandboxId?: string | undefined
  dial: Dial
}
