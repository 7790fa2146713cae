import { basename, dirname } from "node:path"
import { cgroupFacts, readValue, type CgroupFile } from "../live/cgroups.ts"
import { shellLine, shellWord } from "./shell-words.ts"
import type { ExplainedStep } from "./step.ts"

/** The control group of process `pid`, as the kernel has it by now, and what was written into it. */
export function cgroupStep(pid: number): ExplainedStep {
  const { version, directories, files } = cgroupFacts(pid)
  const own = directories.filter(({ path }) => /[0-9a-f]{64}/.test(path))
  if (own.length === 0) return { key: "noCgroup", values: { version }, shell: [] }
  return {
    key: "cgroup",
    values: { version, path: own[0]?.path ?? "", count: own.length },
    // systemd makes those of an ordinary user, and the first process in them
    shell: own.some(({ path }) => scopeOf(path) !== undefined)
      ? []
      : [
          ...own.map(({ path }) => shellLine("mkdir", "-p", path)),
          ...own
            .filter(({ controller }) => controller === "")
            .flatMap(({ path }) =>
              enabling(
                path,
                files.filter(({ controller }) => controller === ""),
              ),
            ),
          // a cpuset without processors takes no process: the parent's come first
          ...files.filter(({ controller }) => controller.split(",").includes("cpuset")).flatMap(parentFirst),
          ...files.flatMap(writing),
        ],
  }
}

/** cgroups(7), v2: a controller acts in a directory when each one above passes it on. The topmost first. */
function enabling(path: string, files: readonly CgroupFile[]): string[] {
  const used = new Set(files.map(({ path: file }) => `+${basename(file).split(".", 1)[0]}`))
  if (used.size === 0) return []
  const above: string[] = []
  for (let parent = dirname(path); readValue(`${parent}/cgroup.controllers`) !== undefined; parent = dirname(parent))
    above.unshift(parent)
  return above.map((parent) => echo([...used].join(" "), `${parent}/cgroup.subtree_control`))
}

function parentFirst({ path, value }: CgroupFile): string[] {
  const parent = `${dirname(dirname(path))}/${basename(path)}`
  return [`[ -s ${shellWord(parent)} ] && [ -n "$(cat ${shellWord(parent)})" ] || ${echo(value, parent)}`]
}

/** The lines of a file of devices are rules, of which each is written by itself. */
function writing({ path, value }: CgroupFile): string[] {
  const lines = value.split("\n")
  if (!path.endsWith("/devices.list")) return lines.map((line) => echo(line, path))
  const directory = dirname(path)
  return [echo("a", `${directory}/devices.deny`), ...lines.map((line) => echo(line, `${directory}/devices.allow`))]
}

function echo(value: string, path: string): string {
  return `echo ${shellWord(value)} > ${shellWord(path)}`
}

/** The words of a shell that put a process into the group, before those that make it what it is. */
export function enteringGroup(pid: number): string {
  const { directories, files } = cgroupFacts(pid)
  const own = directories.filter(({ path }) => /[0-9a-f]{64}/.test(path))
  const scope = own.map(({ path }) => scopeOf(path)).find((one) => one !== undefined)
  if (scope !== undefined)
    return `exec ${shellLine("systemd-run", "--user", "--quiet", "--scope", ...scope, ...properties(files))} `
  if (own.length === 0) return "exec "
  return `for f in ${shellLine(...own.map(({ path }) => `${path}/cgroup.procs`))}; do echo $$ > $f; done; exec `
}

/** systemd.scope(5): its slice and its name, of a path below it. */
function scopeOf(path: string): string[] | undefined {
  const [, slice, unit] = /\/([^/]+\.slice)\/([^/]+)\.scope(?:\/|$)/.exec(path) ?? []
  return slice === undefined ? undefined : [`--slice=${slice}`, `--unit=${unit}`, "--property=Delegate=yes"]
}

/** systemd.resource-control(5): what each file is called there. */
const PROPERTIES: Readonly<Record<string, string>> = {
  "memory.max": "MemoryMax",
  "memory.high": "MemoryHigh",
  "memory.low": "MemoryLow",
  "memory.swap.max": "MemorySwapMax",
  "cpu.weight": "CPUWeight",
  "pids.max": "TasksMax",
  "cpuset.cpus": "AllowedCPUs",
  "cpuset.mems": "AllowedMemoryNodes",
}

function properties(files: readonly CgroupFile[]): string[] {
  return files.flatMap(({ path, value }) => {
    const file = basename(path)
    const [quota = "max", period = "100000"] = value.split(" ")
    const percent = (100 * Number(quota)) / Number(period)
    if (file === "cpu.max") return quota === "max" ? [] : [`--property=CPUQuota=${percent}%`]
    const name = PROPERTIES[file]
    return name === undefined ? [] : [`--property=${name}=${value}`]
  })
}
