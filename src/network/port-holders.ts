/**
 * Who holds the sockets of ports that are published while a container runs: its monitor inherits what is bound before its start,
 * and nothing after. A process that sleeps, one for each change. It is known by its file, which it writes itself and whose path stands
 * in its environment: killed in between, we leave none that nobody finds.
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs"
import { namesIn } from "../base/names-in.ts"
import { randomHex } from "../base/random-hex.ts"
import { processStartTime, signalProcess, spawnProcess, type Pid } from "../sys/process/process.ts"

/** proc_pid_comm(5) of a holder. */
export const HOLDER_COMM = "sleep"

const VARIABLE = "_SKIFF_PORT_HOLDER"
const SIGKILL = 9

export class PortHolders {
  readonly #directory: string

  constructor(runRoot: string) {
    this.#directory = `${runRoot}/network/holders`
  }

  /** Starts one that has the sockets, which stay the caller's to close. */
  hold(containerId: string, sockets: readonly number[]): void {
    if (sockets.length === 0) return
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
    const file = `${this.#directory}/${containerId}.${randomHex(8)}`
    const script = `echo $$ > "$${VARIABLE}" && exec sleep infinity`
    spawnProcess(["/bin/sh", "-c", script], {
      cwd: "/",
      env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", [VARIABLE]: file },
      stdio: ["ignore", "ignore", "ignore", ...sockets],
      detached: true,
    }).unref()
  }

  /** Ends those of a container. Safe to repeat. */
  end(containerId: string): void {
    for (const name of namesIn(this.#directory)) if (name.startsWith(`${containerId}.`)) this.#endOne(name)
  }

  /** Containers that have one. */
  containers(): string[] {
    return [...new Set(namesIn(this.#directory).map((name) => name.split(".")[0] ?? ""))]
  }

  #endOne(name: string): void {
    const file = `${this.#directory}/${name}`
    const pid = Number(readText(file)) as Pid
    const startTime = processStartTime(pid)
    // the number may be another process's by now
    const isOurs = pid > 1 && readText(`/proc/${pid}/environ`).split("\0").includes(`${VARIABLE}=${file}`)
    if (isOurs && startTime !== undefined) signalProcess(pid, startTime, SIGKILL)
    rmSync(file, { force: true })
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "latin1")
  } catch {
    return ""
  }
}
