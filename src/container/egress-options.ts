import type { EgressRule } from "../spec/docker/egress-rule.ts"

/** Where a container may send: a part of `ContainerOptions`. */
export interface EgressOptions {
  /** There alone, by each of its interfaces. */
  allow: readonly EgressRule[]
}
