import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { Skiff } from "./skiff.ts"
import { eventually } from "./wait.ts"

/** Kills it and who would follow it, and waits until the kernel has let go of its lock: its last thread may end some milliseconds after the first. */
export async function killSupervisor(skiff: Skiff): Promise<void> {
  const [pid] = supervisorsOf(skiff)
  if (pid === undefined) throw new Error("there is no supervisor")
  for (const one of [...successorsOf(skiff), pid]) process.kill(one, "SIGKILL")
  await eventually(() => spawnSync("flock", ["-n", join(skiff.runRoot, "supervisor.lock"), "true"]).status === 0)
}

/** Pids of the supervisor of a store: one, none, or for a moment two of which one finds the lock taken. */
export function supervisorsOf(skiff: Skiff): number[] {
  return supervising(skiff, (program) => program !== "flock")
}

/** Pids of who waits for its end, to take its place. */
export function successorsOf(skiff: Skiff): number[] {
  return supervising(skiff, (program) => program === "flock")
}

function supervising(skiff: Skiff, is: (program: string) => boolean): number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0")
      return words.includes(skiff.root) && words.includes("_supervise") && is(words[0] ?? "") ? [Number(name)] : []
    } catch {
      return [] // ended meanwhile
    }
  })
}
