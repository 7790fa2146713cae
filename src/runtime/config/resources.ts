import type { OciResources } from "../../spec/oci-runtime.ts"
import type { ResourceLimits } from "../runtime.ts"
import { blockIoOf } from "./block-io.ts"
import { needs, type LimitSupport } from "./limit-support.ts"
import { cpuOf } from "./cpu-limits.ts"
import { memoryOf } from "./memory-limits.ts"
import { hugepagesOf, rdmaOf, unifiedOf } from "./other-limits.ts"

/**
 * Docker's limits in the units of runtime-spec config-linux.md#control-groups. Throws InvalidArgument, and
 * FailedPrecondition where the host cannot hold a limit: it is never dropped in silence, but for what is only wished for.
 */
export function toResources(asked: ResourceLimits, support: LimitSupport): OciResources | undefined {
  const limits = asked.requestsWherePossible ? possibleRequests(asked, support) : asked
  const { pidsLimit = support.controllers.includes("pids") ? limits.pidsLimitWherePossible : undefined } = limits
  const pids = pidsLimit !== undefined && pidsLimit > 0 ? { limit: pidsLimit } : undefined
  if (pids) needs("pids", "resources.pidsLimit", support)
  const resources: OciResources = {
    ...defined("memory", memoryOf(limits, support)),
    ...defined("cpu", cpuOf(limits, support)),
    ...defined("pids", pids),
    ...defined("blockIO", blockIoOf(limits, support)),
    ...defined("hugepageLimits", hugepagesOf(limits, support)),
    ...defined("rdma", rdmaOf(limits, support)),
    ...defined("unified", unifiedOf(limits, support)),
  }
  return Object.keys(resources).length === 0 ? undefined : resources
}

function possibleRequests(asked: ResourceLimits, { controllers }: LimitSupport): ResourceLimits {
  const { memoryReservationBytes, cpuShares, ...limits } = asked
  return {
    ...limits,
    ...(memoryReservationBytes !== undefined && controllers.includes("memory") && { memoryReservationBytes }),
    ...(cpuShares !== undefined && controllers.includes("cpu") && { cpuShares }),
  }
}

function defined<K extends keyof OciResources>(name: K, value: OciResources[K]): Pick<OciResources, K> | object {
  return value === undefined ? {} : { [name]: value }
}
