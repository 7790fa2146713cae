import { FailedPrecondition } from "../../base/errors.ts"

/** What this host can bound, for the user that asks. */
export interface LimitSupport {
  cgroup: "v1" | "hybrid" | "v2"
  /** Of `memory cpu cpuset pids io hugetlb rdma` (`blkio` on v1): those we may use. */
  controllers: readonly string[]
  /** Swap is counted. */
  swap: boolean
  cpus: number
  /** Why controllers are missing, and what the user does. */
  remedy: string
  /** On v1, whether the kernel has this file of a controller: `cpu.rt_runtime_us`. Default: it has all. */
  hasFile?(controller: string, name: string): boolean
}

/** Throws FailedPrecondition unless the controller is ours to use. */
export function needs(controller: string, field: string, support: LimitSupport): void {
  if (support.controllers.includes(controller)) return
  throw new FailedPrecondition(`the limit cannot be enforced: this user has no "${controller}" cgroup controller`, {
    field,
    hint: support.remedy,
  })
}
