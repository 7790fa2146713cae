import { DatabaseSync } from "node:sqlite"
import { readFileSync, rmdirSync, rmSync } from "node:fs"
import { spawnSync } from "node:child_process"
import { dirname, join } from "node:path"
import { bootId } from "../../src/sys/process/process.ts"
import { helpersOf, processesNaming } from "./host-state.ts"
import { removeNetwork } from "./remove-network.ts"
import type { Skiff } from "./skiff.ts"
import { successorsOf, supervisorsOf } from "./supervisor.ts"
import { user } from "./user.ts"
import { eventually } from "./wait.ts"

/**
 * What a start of the machine leaves of a store: its files. Processes die at once and run nothing at their ends; their cgroups, mounts, links
 * and rules go, and so does the run directory. All that was written down is of another boot.
 */
export async function reboot(skiff: Skiff): Promise<void> {
  const contents = contentsOf(skiff)
  const cgroups = new Set(contents.flatMap(cgroupsOf))
  // who would start, repair or write down an end first
  const named = () => [...successorsOf(skiff), ...supervisorsOf(skiff), ...processesNaming(skiff.directory).map(pidOf)]
  killAll(named())
  killAll(contents)
  killAll(helpersOf(skiff.directory))
  await eventually(() => [...contents, ...named()].every((pid) => !isThere(pid)))
  if (!user.rootless) {
    const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n")
    const paths = mounts
      .map((line) => line.split(" ")[1] ?? "")
      .filter((path) => path.startsWith(`${skiff.directory}/`))
    for (const path of paths.toReversed()) spawnSync("umount", ["-l", path])
    removeNetwork(skiff.runRoot)
  }
  for (const cgroup of cgroups) removeCgroup(cgroup)
  rmSync(skiff.runRoot, { recursive: true, force: true })
  const db = new DatabaseSync(join(skiff.root, "skiff.db"))
  const [before, after] = [bootId(), bootId().replace(/^.{8}/, "00000000")]
  const columns = db.prepare(
    `SELECT t.name AS "table", c.name AS "column" FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' AND c.type = 'TEXT'`,
  )
  for (const { table, column } of columns.all() as { table: string; column: string }[])
    db.prepare(`UPDATE "${table}" SET "${column}" = replace("${column}", ?, ?) WHERE instr("${column}", ?)`).run(
      before,
      after,
      before,
    )
  db.close()
}

/** First processes of containers and sandboxes: with them go all others, and their namespaces. */
function contentsOf(skiff: Skiff): number[] {
  const db = new DatabaseSync(join(skiff.root, "skiff.db"), { readOnly: true })
  const rows = db.prepare(
    `SELECT json_extract(state, '$.pid') AS pid FROM containers WHERE status = 'running'
     UNION SELECT json_extract(state, '$.pausePid') FROM sandboxes WHERE json_extract(state, '$.status') = 'ready'`,
  )
  const pids = (rows.all() as { pid: number | null }[]).flatMap(({ pid }) => pid ?? [])
  db.close()
  return pids.filter(isThere)
}

function cgroupsOf(pid: number): string[] {
  const mounts = readFileSync("/proc/mounts", "utf8").split("\n")
  return readFileSync(`/proc/${pid}/cgroup`, "utf8")
    .split("\n")
    .flatMap((line) => {
      const [, controllers = "", path = ""] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
      if (!/[0-9a-f]{64}/.test(path)) return []
      const at = mounts
        .map((one) => one.split(" "))
        .find(([, , type, options = ""]) => {
          const words = options.split(",")
          return controllers === ""
            ? type === "cgroup2"
            : type === "cgroup" && controllers.split(",").every((one) => words.includes(one))
        })?.[1]
      return at === undefined ? [] : [join(at, path)]
    })
}

/** Of a container, and of its pod. */
function removeCgroup(path: string): void {
  for (let at = path; /[0-9a-f]{64}/.test(at); at = dirname(at))
    try {
      rmdirSync(at)
    } catch {
      return // another process of the pod was in it, or it is gone already
    }
}

const pidOf = (words: string): number => Number(/\((\d+)\)$/.exec(words)?.[1])

function killAll(pids: readonly number[]): void {
  for (const pid of pids)
    try {
      process.kill(pid, "SIGKILL")
    } catch {
      // it went with another one
    }
}

function isThere(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))
  } catch {
    return false
  }
}
