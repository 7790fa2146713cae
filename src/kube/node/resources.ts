import type { ResourceRequirements } from "kubernetes-types/core/v1"
import type { Resources } from "../../container/container.ts"
import { fieldFault, type Warnings } from "./field-fault.ts"
import { parseMilli, parseQuantity, parseWhole } from "./quantity.ts"

/** The kernel's names of page sizes. */
const PAGE = /^hugepages-(\d{1,6})(Ki|Mi|Gi)$/
const PERIOD_US = 100_000
/** The kernel's. */
const MIN_QUOTA_US = 1000
const MIN_SHARES = 2
const MAX_SHARES = 262_144

/** Limits and requests in the kernel's units. What they name besides CPU, memory and huge pages is told. Throws InvalidArgument. Pure. */
export function resourceLimits(
  { limits = {}, requests = {} }: ResourceRequirements,
  path: string,
  warnings: Warnings,
): Resources {
  checkRequests(limits, requests, path)
  const cpu = limits["cpu"] === undefined ? 0 : parseMilli(limits["cpu"], `${path}.limits.cpu`)
  const memory = limits["memory"] === undefined ? 0 : parseWhole(limits["memory"], `${path}.limits.memory`)
  const share = requests["cpu"] === undefined ? 0 : parseMilli(requests["cpu"], `${path}.requests.cpu`)
  const reservation = requests["memory"] === undefined ? 0 : parseWhole(requests["memory"], `${path}.requests.memory`)
  for (const [kind, values] of [
    ["limits", limits],
    ["requests", requests],
  ] as const)
    for (const name of Object.keys(values))
      if (name !== "cpu" && name !== "memory" && !PAGE.test(name))
        warnings.add(`${path}.${kind}.${name.slice(0, 100)}`, "is not limited on this node")
  const hugepages = hugepagesOf(limits, path)
  return {
    // as podman's: inspect tells both
    ...(cpu > 0 && { cpuPeriodUs: PERIOD_US, cpuQuotaUs: Math.max(MIN_QUOTA_US, (cpu * PERIOD_US) / 1000) }),
    ...(memory > 0 && { memoryBytes: memory }),
    ...(reservation > 0 && { memoryReservationBytes: reservation }),
    ...(share > 0 && { cpuShares: Math.min(MAX_SHARES, Math.max(MIN_SHARES, Math.floor((share * 1024) / 1000))) }),
    // a request is what the scheduler counts by: an ordinary user without these controllers has his pods all the same
    ...((reservation > 0 || share > 0) && { requestsWherePossible: true }),
    ...(hugepages.length > 0 && { hugepages }),
  }
}

function checkRequests(
  limits: Readonly<Record<string, string>>,
  requests: Readonly<Record<string, string>>,
  path: string,
): void {
  for (const [name, request] of Object.entries(requests)) {
    const limit = Object.hasOwn(limits, name) ? limits[name] : undefined
    const asked = parseQuantity(request, `${path}.requests.${name}`)
    if (limit !== undefined && asked > parseQuantity(limit, `${path}.limits.${name}`))
      throw fieldFault(`${path}.requests.${name}`, `must be less than or equal to ${name} limit of ${limit}`)
  }
}

function hugepagesOf(
  limits: Readonly<Record<string, string>>,
  path: string,
): { pageSize: string; limitBytes: number }[] {
  return Object.entries(limits).flatMap(([name, amount]) => {
    const [, number, unit] = PAGE.exec(name) ?? []
    if (number === undefined || unit === undefined) return []
    // the kernel calls 2 MiB `2MB`
    return [{ pageSize: `${number}${unit[0]}B`, limitBytes: parseWhole(amount, `${path}.limits.${name}`) }]
  })
}
