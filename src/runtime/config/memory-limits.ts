import { FailedPrecondition, InvalidArgument } from "../../base/errors.ts"
import type { OciResources } from "../../spec/oci-runtime.ts"
import type { ResourceLimits } from "../runtime.ts"
import { needs, type LimitSupport } from "./limit-support.ts"

const MIN_MEMORY_BYTES = 6 * 1024 * 1024

/** Memory and swap. Throws InvalidArgument, FailedPrecondition. */
export function memoryOf(limits: ResourceLimits, support: LimitSupport): OciResources["memory"] {
  const { memoryBytes: limit, memorySwapBytes: swap, memoryReservationBytes: reservation } = limits
  if (limits.oomKillDisable && support.cgroup === "v2")
    throw new FailedPrecondition("the OOM killer cannot be disabled: cgroup v2 has no such switch", {
      field: "resources.oomKillDisable",
      hint: { do: "omit", field: "resources.oomKillDisable" },
    })
  if (limit !== undefined && limit < MIN_MEMORY_BYTES)
    throw new InvalidArgument(`memory limit of ${limit} bytes is too small`, {
      field: "resources.memory",
      hint: "minimum: 6m",
    })
  if (swap !== undefined && limit === undefined)
    throw new InvalidArgument("a limit of memory and swap together needs a limit of memory", {
      field: "resources.memorySwap",
      hint: { do: "set", field: "resources.memory", value: "BYTES" },
    })
  if (swap !== undefined && swap !== -1 && limit !== undefined && swap < limit)
    throw new InvalidArgument("the limit of memory and swap together is less than that of memory", {
      field: "resources.memorySwap",
      hint: { do: "set", field: "resources.memorySwap", value: `${limit} or more` },
    })
  if (reservation !== undefined && limit !== undefined && reservation > limit)
    throw new InvalidArgument("the memory reservation is more than the memory limit", {
      field: "resources.memoryReservation",
      hint: `maximum: ${limit} bytes`,
    })
  if (swap !== undefined && !support.swap)
    throw new FailedPrecondition("a swap limit cannot be enforced: this kernel does not count swap", {
      field: "resources.memorySwap",
      hint: ["boot with swapaccount=1", { do: "omit", field: "resources.memorySwap" }],
    })
  const swappiness = swappinessOf(limits, support)
  const memory = {
    ...(limit !== undefined && { limit }),
    // docker: as much swap again as memory
    ...(limit !== undefined && support.swap && { swap: swap ?? limit * 2 }),
    ...(reservation !== undefined && { reservation }),
    ...(swappiness !== undefined && { swappiness }),
    ...(limits.oomKillDisable && { disableOOMKiller: true }),
  }
  if (Object.keys(memory).length === 0) return undefined
  needs("memory", "resources.memory", support)
  return memory
}

function swappinessOf({ memorySwappiness: value }: ResourceLimits, support: LimitSupport): number | undefined {
  const field = "resources.memorySwappiness"
  if (value === undefined) return undefined
  if (!Number.isInteger(value) || value < 0 || value > 100)
    throw new InvalidArgument(`a swappiness of ${value} is out of range`, { field, hint: "valid: 0 to 100" })
  if (support.cgroup === "v2")
    throw new FailedPrecondition("swappiness cannot be set for a container: cgroup v2 has no such file", {
      field,
      hint: [
        { do: "omit", field },
        { do: "set", field: "resources.memorySwap" },
      ],
    })
  return value
}
