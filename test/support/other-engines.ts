/** The other tools of the field, each with its state below one directory: what they make of our images, and we of theirs. */
import { spawn, spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { eventually } from "./wait.ts"

export interface OtherEngine {
  name: "podman" | "docker"
  /** Of its API, where a daemon serves it. */
  address?: string
  /** Runs it to its end; gives standard output, trimmed. Throws with its standard error. */
  ok(...args: string[]): string
  /** Words of `pull` that allow plain HTTP. */
  pullFlags: readonly string[]
  /** Words of `run` for a container without network, in its own cgroup or none. */
  runFlags: readonly string[]
  stop(): Promise<void>
}

const has = (program: string) => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0

/** Why no other engine can be asked here, or false. */
export const noPodman: string | false =
  process.getuid?.() === 0 ? !has("podman") && "no podman here" : "podman is asked as root only"
export const noDocker: string | false =
  process.getuid?.() === 0 ? !has("dockerd") && "no dockerd here" : "dockerd is started by root only"

export function startPodman(): OtherEngine {
  const directory = mkdtempSync(join(tmpdir(), "skiff-podman-"))
  const settings = join(directory, "containers.conf")
  // it raises limits beyond what a root without CAP_SYS_RESOURCE may
  writeFileSync(settings, '[containers]\ndefault_ulimits = ["nofile=1024:4096", "nproc=4096:4096"]\n')
  const places = ["--root", join(directory, "root"), "--runroot", join(directory, "run")]
  const choices = ["--cgroup-manager", "cgroupfs", "--storage-driver", "overlay", "--events-backend", "file"]
  const ok = outputOf(["podman", ...places, ...choices, "--runtime", "runc"], { CONTAINERS_CONF: settings })
  return {
    name: "podman",
    ok,
    pullFlags: ["--tls-verify=false"],
    runFlags: ["--rm", "--network", "none"],
    async stop() {
      // its layers are read-only directories of overlay, its database is locked by nobody now
      ok("rmi", "--all", "--force")
      spawnSync("umount", [join(directory, "root/overlay")])
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** A daemon that makes no network of its own and writes no firewall rule. Undefined when it does not run here. */
export async function startDocker(): Promise<OtherEngine | undefined> {
  const directory = mkdtempSync(join(tmpdir(), "skiff-docker-"))
  const socket = `unix://${directory}/docker.sock`
  const places = [
    "--data-root",
    `${directory}/root`,
    "--exec-root",
    `${directory}/exec`,
    "--pidfile",
    `${directory}/pid`,
  ]
  const cgroupParent = `skiff-test-docker-${process.pid}`
  const quiet = ["--bridge", "none", "--iptables=false", "--ip6tables=false"]
  mkdirSync(`${directory}/root`)
  // it ends with the test process, however that ends
  const words = ["--pdeathsig=TERM", "dockerd", "-H", socket, ...places, ...quiet, "--storage-driver", "overlay2"]
  const daemon = spawn("setpriv", words, { stdio: "ignore" })
  const ok = outputOf(["docker", "-H", socket], {})
  const ended = new Promise((resolve) => daemon.once("close", resolve))
  /** Its bridges would stay on the host. */
  const removeNetworks = () => {
    const containers = ok("ps", "-aq").split("\n").filter(Boolean)
    if (containers.length > 0) ok("rm", "-f", ...containers)
    ok("network", "prune", "-f")
  }
  const stop = async ({ answers = true } = {}) => {
    if (answers) removeNetworks()
    if (daemon.exitCode === null && daemon.kill("SIGTERM")) await ended
    // it binds its directory over itself, and does not always take that back
    spawnSync("umount", ["--lazy", `${directory}/root`])
    removeCgroups(cgroupParent)
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
  }
  try {
    await eventually(() => {
      if (daemon.exitCode !== null) throw new Error("dockerd ended")
      ok("info")
    }, 20_000)
  } catch {
    await stop({ answers: false })
    return undefined
  }
  return {
    name: "docker",
    address: socket,
    ok,
    pullFlags: [],
    runFlags: ["--rm", "--network", "none", "--cgroup-parent", `/${cgroupParent}`],
    stop,
  }
}

/** Of every hierarchy of cgroup v1, and of v2. */
function removeCgroups(name: string): void {
  const root = "/sys/fs/cgroup"
  for (const path of [root, ...readdirSync(root).map((hierarchy) => join(root, hierarchy))])
    spawnSync("rmdir", [join(path, name)])
}

function outputOf(command: readonly string[], env: Record<string, string>) {
  return (...args: string[]): string => {
    const [program = "", ...rest] = [...command, ...args]
    const { status, stdout, stderr } = spawnSync(program, rest, { env: { ...process.env, ...env }, timeout: 60_000 })
    if (status !== 0) throw new Error(`${program} ${args.join(" ")} gave ${status}: ${stderr}`)
    return stdout.toString().trim()
  }
}
