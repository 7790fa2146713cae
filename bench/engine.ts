/** The engines that are compared: how each is called. All keep their state below one directory, on one disk. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process"
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { eventually } from "../test/support/wait.ts"

export interface Engine {
  name: string
  version: string
  runtime: string
  /** The words before a command, and what they need in the environment. */
  argv: readonly string[]
  env: Record<string, string>
  /** Words of `pull` that allow the plain-HTTP registry of the bench. */
  pullFlags: readonly string[]
  /** Words of a build that keeps its layers as cache. */
  buildWords: readonly string[]
  /** It runs no containers of its own: buildah. */
  onlyBuilds?: boolean
  /** `compose` is one of its words; podman has another's program for it. */
  composes?: boolean
  /** Its work is done by a process that stays: docker. */
  daemon?: boolean
  /** Ends what it runs besides containers. */
  stop(): Promise<void>
}

const bin = (name: string) =>
  spawnSync("sh", ["-c", `command -v ${name}`])
    .stdout.toString()
    .trim()

/** An ordinary user that an engine runs as: the words before its own, and what a login session would set. */
interface Account {
  prefix: readonly string[]
  env: Record<string, string>
}

const ROOT: Account = { prefix: [], env: {} }

/** `crun` where it can start a container on this host; all that can use it do. */
export function skiff(directory: string, runtime: string, account = ROOT): Engine {
  // a copy: a build meanwhile changes nothing, and the ordinary user can read it
  const executable = join(directory, "skiff-under-test")
  copyFileSync(process.env.SKIFF_BIN ?? "dist/skiff", executable)
  const env = {
    ...account.env,
    SKIFF_ROOT: join(directory, "skiff/root"),
    SKIFF_RUN_ROOT: join(directory, "skiff/run"),
  }
  return {
    name: "skiff",
    version: spawnSync(executable, ["--version"]).stdout.toString().trim().split(" ").at(-1) ?? "",
    runtime,
    argv: [...account.prefix, executable, "--runtime", runtime],
    env,
    pullFlags: [],
    buildWords: ["build"],
    composes: true,
    stop: async () => {},
  }
}

export function podman(directory: string, runtime: string, account = ROOT): Engine | undefined {
  const executable = bin("podman")
  if (executable === "") return undefined
  const places = ["--root", join(directory, "podman/root"), "--runroot", join(directory, "podman/run")]
  // podman raises nofile and nproc beyond what a root without CAP_SYS_RESOURCE may
  const settings = join(directory, "podman/containers.conf")
  mkdirSync(join(directory, "podman"), { recursive: true })
  writeFileSync(settings, '[containers]\ndefault_ulimits = ["nofile=1024:4096", "nproc=4096:4096"]\n')
  const choices = ["--cgroup-manager", "cgroupfs", "--storage-driver", "overlay", "--events-backend", "file"]
  return {
    name: "podman",
    version: spawnSync(executable, ["--version"]).stdout.toString().trim().split(" ").at(-1) ?? "",
    runtime,
    argv: [
      ...account.prefix,
      executable,
      ...places,
      ...choices,
      "--network-config-dir",
      join(directory, "podman/net"),
      "--runtime",
      runtime,
    ],
    // podman 5 warns of each command on a host with cgroup v1
    env: { ...account.env, CONTAINERS_CONF: settings, PODMAN_IGNORE_CGROUPSV1_WARNING: "1" },
    pullFlags: ["--tls-verify=false"],
    buildWords: ["build", "--layers", "--tls-verify=false"],
    stop: async () => {},
  }
}

export function buildah(directory: string, runtime: string): Engine | undefined {
  const executable = bin("buildah")
  if (executable === "") return undefined
  const places = ["--root", join(directory, "buildah/root"), "--runroot", join(directory, "buildah/run")]
  return {
    name: "buildah",
    version: spawnSync(executable, ["--version"]).stdout.toString().trim().split(" ")[2] ?? "",
    runtime,
    argv: [executable, ...places, "--storage-driver", "overlay"],
    env: { BUILDAH_RUNTIME: runtime },
    pullFlags: ["--tls-verify=false"],
    buildWords: ["build", "--layers", "--tls-verify=false"],
    onlyBuilds: true,
    stop: async () => {},
  }
}

function firewallTables(): string[] {
  return spawnSync("nft", ["list", "tables"])
    .stdout.toString()
    .split("\n")
    .filter((line) => /^table ip6? (filter|nat|raw|mangle)$/.test(line))
}

/** The nftables tables that iptables keeps; Docker and podman write into them, and leave theirs behind. */
export function rememberFirewall(): { restore(): void } {
  const before = new Map(
    firewallTables().map((table) => [table, spawnSync("nft", ["list", ...table.split(" ")]).stdout.toString()]),
  )
  return {
    restore() {
      const commands = firewallTables().map((table) => `delete ${table}\n${before.get(table) ?? ""}`)
      spawnSync("nft", ["-f", "-"], { input: commands.join("\n") })
    },
  }
}

/** Starts a daemon of its own, beside any that the host has; the caller takes its firewall rules back. */
export async function docker(directory: string): Promise<Engine | undefined> {
  if (bin("dockerd") === "") return undefined
  const home = join(directory, "docker")
  mkdirSync(home, { recursive: true })
  const socket = `unix://${home}/docker.sock`
  const hadBridge = existsSync("/sys/class/net/docker0")
  const places = ["--data-root", `${home}/root`, "--exec-root", `${home}/exec`, "--pidfile", `${home}/pid`]
  const log = `${home}/log`
  const command = ["dockerd", "-H", socket, ...places, "--bip", "10.210.0.1/16", "--storage-driver", "overlay2"].join(
    " ",
  )
  const daemon: ChildProcess = spawn("setpriv", ["--pdeathsig=TERM", "sh", "-c", `exec ${command} >${log} 2>&1`])
  // the client of the daemon's own package: a newer one builds by a buildx that Debian does not have
  const client = existsSync("/usr/bin/docker") ? "/usr/bin/docker" : "docker"
  const argv = [client, "-H", socket]
  const stop = async () => {
    const ended = new Promise((done) => daemon.once("close", done))
    if (daemon.exitCode === null && daemon.kill("SIGTERM")) await ended
    if (!hadBridge) spawnSync("ip", ["link", "delete", "docker0"])
  }
  try {
    await eventually(() => {
      if (daemon.exitCode !== null) throw new Error("dockerd ended")
      const { status } = spawnSync("docker", ["-H", socket, "info"])
      if (status !== 0) throw new Error("dockerd does not answer")
    }, 30_000)
  } catch {
    console.error(
      `docker is left out: dockerd does not run here\n${readFileSync(log, "utf8").trim().split("\n").at(-1)}`,
    )
    await stop()
    return undefined
  }
  const version = spawnSync("docker", ["-H", socket, "version", "-f", "{{.Server.Version}}"]).stdout.toString().trim()
  const env = { DOCKER_BUILDKIT: "1" }
  return {
    name: "docker",
    version,
    runtime: "runc",
    argv,
    env,
    pullFlags: [],
    buildWords: ["build"],
    composes: spawnSync(argv[0] ?? "", ["compose", "version"]).status === 0,
    daemon: true,
    stop,
  }
}

/** skiff and podman as the ordinary user of the tests, with a state of their own below `directory`. */
export function userEngines(directory: string, runtime: string): Engine[] {
  const made = spawnSync("sh", [join(import.meta.dir, "../scripts/test-user.sh")])
  if (made.status !== 0) throw new Error(`no ordinary user: ${made.stderr}`)
  const user = "skiff-test"
  const uid = spawnSync("id", ["-u", user]).stdout.toString().trim()
  const own = join(directory, "user")
  mkdirSync(join(own, "skiff"), { recursive: true })
  const env = { HOME: `/home/${user}`, USER: user, XDG_RUNTIME_DIR: `/run/user/${uid}` }
  const account = { prefix: ["setpriv", "--reuid", user, "--regid", user, "--init-groups"], env }
  const engines = [skiff(own, runtime, account), podman(own, runtime, account)].filter((engine) => engine !== undefined)
  spawnSync("chown", ["-R", `${user}:`, own])
  return engines
}

/** podman and buildah leave their store mounted on itself. */
export function unmountBelow(directory: string): void {
  const points = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
  for (const point of points.toReversed()) if (point.startsWith(`${directory}/`)) spawnSync("umount", ["-l", point])
}

/**
 * Runs one command to its end; throws when it fails. Gives the largest resident size of the process in MiB; NaN where a daemon
 * works. The kernel's own account of an ended process (ru_maxrss) begins with that of the bench, which it was forked from.
 */
export async function peakMib(engine: Engine, args: readonly string[]): Promise<number> {
  const { daemon = false, argv, env } = engine
  const child = Bun.spawn([...argv, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  })
  let kib = 0
  const look = () => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8")
      kib = Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? kib)
    } catch {
      // it has just ended
    }
  }
  const looking = setInterval(look, LOOK_EVERY_MS)
  const stderr = await new Response(child.stderr).text()
  const code = await child.exited
  clearInterval(looking)
  if (code !== 0) throw new Error(`${engine.name} ${args.join(" ")} failed: ${stderr}`)
  return daemon ? NaN : kib / 1024
}

const LOOK_EVERY_MS = 10

/** Runs one command to its end; throws when it fails. Gives milliseconds from before its start to its end. */
export async function timed(engine: Engine, args: readonly string[]): Promise<number> {
  const [program = "", ...rest] = [...engine.argv, ...args]
  const started = performance.now()
  const child = spawn(program, rest, { env: { ...process.env, ...engine.env }, stdio: ["ignore", "ignore", "pipe"] })
  let stderr = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text))
  const ended = new Promise<number | null>((done) => child.on("exit", done))
  const closed = new Promise((done) => child.on("close", done))
  const code = await ended
  const ms = performance.now() - started
  // a monitor may keep the pipe open
  await Promise.race([closed, new Promise((done) => setTimeout(done, 20))])
  if (code !== 0) throw new Error(`${engine.name} ${args.join(" ")} gave ${code}: ${stderr}`)
  return ms
}

export function output(engine: Engine, args: readonly string[]): string {
  const [program = "", ...rest] = [...engine.argv, ...args]
  return spawnSync(program, rest, { env: { ...process.env, ...engine.env } })
    .stdout.toString()
    .trim()
}
