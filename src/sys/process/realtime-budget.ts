import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { FailedPrecondition } from "../../base/errors.ts"
import { cgroupsPath, type Cgroups } from "./cgroup.ts"

const ROOT = "/sys/fs/cgroup/cpu"
const FILE = "cpu.rt_runtime_us"

/**
 * Gives the cgroup that a container's will lie in the time for real-time processes that the root cgroup has: a new one has none, and
 * a child cannot have more (sched-rt-group.rst). Safe to repeat. Throws FailedPrecondition where there is not enough.
 */
export function giveRealtimeBudget(wantedUs: number | undefined, cgroups: Cgroups, parent?: string): void {
  if (!wantedUs || cgroups.manager !== "cgroupfs" || cgroups.version === "v2") return
  const path = cgroupsPath("id", cgroups, parent) ?? ""
  const names = path.split("/").slice(1, -1)
  const available = budgetOf(ROOT)
  for (const [index] of names.entries()) {
    const directory = join(ROOT, ...names.slice(0, index + 1))
    mkdirSync(directory, { recursive: true })
    if (budgetOf(directory) >= wantedUs) continue
    // all that the root has, or, beside siblings that have some, what is asked for
    if (!write(directory, available) && !write(directory, budgetOf(directory) + wantedUs))
      throw new FailedPrecondition(
        `real-time scheduling cannot be given: the cgroup above has ${available} µs of it left`,
        {
          field: "resources.cpuRtRuntime",
          hint: `see ${join(ROOT, FILE)}, and who has the rest: grep . $(find ${ROOT} -name ${FILE})`,
        },
      )
  }
}

function budgetOf(directory: string): number {
  const file = join(directory, FILE)
  return existsSync(file) ? Number(readFileSync(file, "latin1")) : 0
}

function write(directory: string, microseconds: number): boolean {
  try {
    writeFileSync(join(directory, FILE), `${microseconds}`)
    return budgetOf(directory) === microseconds && microseconds > 0
  } catch {
    return false
  }
}
