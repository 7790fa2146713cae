/** Slices of a user's own systemd that bound several containers: systemd.slice(5), systemd.resource-control(5). */
import { FailedPrecondition, Unsupported } from "../base/errors.ts"
import { run } from "../sys/process/process.ts"
import type { CgroupWrite } from "./config/cgroup-files.ts"

/** Files of cgroup v2 by the property that writes them. */
const PROPERTIES: Readonly<Record<string, string>> = {
  "cpu.weight": "CPUWeight",
  "cpuset.cpus": "AllowedCPUs",
  "cpuset.mems": "AllowedMemoryNodes",
  "memory.low": "MemoryLow",
  "memory.max": "MemoryMax",
  "memory.swap.max": "MemorySwapMax",
  "pids.max": "TasksMax",
}

/** `a-b.slice` lies in `a.slice`. Pure. */
export function sliceName(id: string, parent?: string): string {
  const above = parent === undefined ? "" : `${parent.replace(/\.slice$/, "")}-`
  return `${above}skiffpod_${id}.slice`
}

/** Limits as properties of a slice. Throws Unsupported for one that has none. Pure. */
export function sliceProperties(writes: readonly CgroupWrite[]): string[] {
  return writes.map(({ file, value }) => {
    if (file === "cpu.max") return cpuQuota(value)
    if (file === "io.weight" && value.startsWith("default ")) return `IOWeight=${value.slice("default ".length)}`
    const property = PROPERTIES[file]
    if (property === undefined)
      throw new Unsupported(`several containers cannot be limited by "${file}": their cgroups are made by systemd`, {
        hint: "limit each of them, or run as root",
      })
    return `${property}=${value === "max" ? "infinity" : value}`
  })
}

function cpuQuota(value: string): string {
  const [quota = "", period = ""] = value.split(" ")
  return quota === "max" ? "CPUQuota=" : `CPUQuota=${Math.round((100 * Number(quota)) / Number(period))}%`
}

/** Throws FailedPrecondition with what systemd says. Safe to repeat. */
export async function makeSlice(name: string, properties: readonly string[]): Promise<void> {
  await systemctl("start", name)
  await systemctl("set-property", "--runtime", name, ...properties)
}

/** What still runs in it would be ended: asked for when nothing does. Safe to repeat. */
export async function removeSlice(name: string): Promise<void> {
  // of one that is gone already both fail, and systemd forgets one that is empty by itself
  for (const verb of ["stop", "revert"]) await run(["systemctl", "--user", "--quiet", verb, name])
}

async function systemctl(...words: string[]): Promise<void> {
  const { code, stderr } = await run(["systemctl", "--user", "--quiet", ...words])
  if (code !== 0)
    throw new FailedPrecondition(
      `the user's systemd refuses to ${words[0]} a slice: ${stderr.trim() || "no message"}`,
      {
        hint: { do: "diagnose" },
      },
    )
}
