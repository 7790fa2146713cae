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
    shell: [
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

/** Where a process puts itself into the group. */
export function procsFiles(pid: number): string[] {
  return cgroupFacts(pid)
    .directories.filter(({ path }) => /[0-9a-f]{64}/.test(path))
    .map(({ path }) => `${path}/cgroup.procs`)
}
