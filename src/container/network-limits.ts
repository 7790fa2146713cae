import type { TrafficRate } from "../network/network.ts"
import type { Refusal } from "../spec/docker/refusal.ts"

/** Bounds of a container's interfaces, at the host's end of each: a part of `ContainerOptions`. All may be left out. */
export interface NetworkLimits {
  /** Of each interface. */
  rate?: TrafficRate
  /** Where it may not send, and by which interfaces of the host it is not reached either. */
  refuse?: readonly Refusal[]
}
