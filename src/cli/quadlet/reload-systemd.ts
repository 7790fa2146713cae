import { existsSync } from "node:fs"
import { findProgram } from "../../sys/host.ts"
import { run } from "../../sys/process/process.ts"

/** Has the caller's manager run its generators again; nothing where none runs. */
export async function reloadSystemd(): Promise<void> {
  const systemctl = findProgram("systemctl")
  if (systemctl === undefined || !existsSync("/run/systemd/system")) return
  await run([systemctl, ...(process.getuid?.() === 0 ? [] : ["--user"]), "daemon-reload"])
}

/** `active`, `inactive` …; `Not loaded` where nobody knows it. */
export async function serviceStatus(name: string): Promise<string> {
  const systemctl = findProgram("systemctl")
  if (systemctl === undefined || !existsSync("/run/systemd/system")) return "Not loaded"
  const { stdout } = await run([systemctl, ...(process.getuid?.() === 0 ? [] : ["--user"]), "is-active", name])
  return stdout.trim() || "Not loaded"
}
