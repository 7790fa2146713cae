import type { TrafficRate } from "../network/network.ts"
import type { HealthOptions } from "./health/health.ts"
import type { PortMapping } from "../spec/docker/port-mapping.ts"
import type { EgressRule } from "../spec/docker/egress-rule.ts"
import type { ResourceLimits } from "../spec/docker/resource-limits.ts"
import type { RestartPolicy } from "../spec/docker/restart-policy.ts"
import type { Ulimit } from "../spec/docker/ulimit.ts"

/**
 * What `update` changes. All may be left out, and stays as it is then. Limits, ports and the restart policy hold at once; the environment and ulimits
 * from the next start on. A further group (health checks) gets a property here, its part in `changedSpec`, and what it does to
 * a running container in `update.ts`.
 */
export interface ContainerChanges {
  /** Null lifts a limit. */
  resources?: { readonly [K in keyof ResourceLimits]?: ResourceLimits[K] | null }
  restart?: RestartPolicy
  ports?: PortChanges
  /** In place of what it had; `{}` lifts it. */
  networkRate?: TrafficRate
  /** In place of what was allowed; null lifts it. */
  egress?: { allow: readonly EgressRule[] | null }
  /** `NAME=VALUE`. */
  env?: readonly string[]
  /** Names; after `env`. */
  unsetEnv?: readonly string[]
  /** What is given replaces its part of the check, from the next one on. */
  health?: HealthOptions
  /** In place of those of the same name. */
  ulimits?: readonly Ulimit[]
}

/** Published ports that come and go. */
export interface PortChanges {
  publish: readonly PortMapping[]
  /** Host port 0, no host address: all of that container port. */
  unpublish: readonly PortMapping[]
}
