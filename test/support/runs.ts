import { readdirSync, readFileSync } from "node:fs"

/** Whether a process with exactly this command line runs on the host, in whatever namespaces. */
export function runs(commandLine: string): boolean {
  return readdirSync("/proc").some((pid) => /^\d+$/.test(pid) && wordsOf(pid) === commandLine)
}

function wordsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trim()
  } catch {
    return ""
  }
}
