/** Drives the built executable in a store of its own, as the user of this run; proves at the end that nothing is left. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process"
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { helpersOf, hostState, type HostState } from "./host-state.ts"
import { removeNetwork } from "./remove-network.ts"
import { user } from "./user.ts"
import { eventually, SLOWNESS } from "./wait.ts"

export interface Outcome {
  code: number
  stdout: string
  stderr: string
}

export interface RunOptions {
  env?: Record<string, string>
  stdin?: string
  timeoutMs?: number
  cwd?: string
}

/** Of what is left behind, so much is told. */
const MOST_NAMED = 10

export class Skiff {
  /** Everything of this store lies below; the user may write in it. */
  readonly directory: string
  readonly root: string
  readonly runRoot: string
  /** The user's home: his credentials and settings. */
  readonly home: string
  readonly #before: HostState

  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), "skiff-e2e-"))
    this.root = join(this.directory, "root")
    this.runRoot = join(this.directory, "run")
    this.home = join(this.directory, "home")
    chmodSync(this.directory, 0o755)
    mkdirSync(this.home, { mode: 0o700 })
    for (const path of [this.directory, this.home]) chownSync(path, user.uid, user.gid)
    this.#before = hostState(this.directory)
  }

  get env(): Record<string, string> {
    return { ...user.env, HOME: this.home, SKIFF_ROOT: this.root, SKIFF_RUN_ROOT: this.runRoot }
  }

  /** The whole command line, as it can be handed to another program. */
  command(args: readonly string[]): string[] {
    return [...user.prefix, executable(), ...args]
  }

  /** Starts it with pipes; for what runs on beside the test. */
  spawn(args: readonly string[], options: RunOptions = {}): ChildProcess {
    const [program = "", ...rest] = this.command(args)
    return spawn(program, rest, { env: { ...this.env, ...options.env }, cwd: options.cwd ?? this.directory })
  }

  /** Runs it to its end; whatever it answers is the outcome. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const child = this.spawn(args, options)
    child.stdin?.on("error", () => {}) // it may end without reading
    child.stdin?.end(options.stdin ?? "")
    const outcome = await outcomeOf(child, options.timeoutMs)
    if (options.env?.SKIFF_CRASH_AT !== undefined && outcome.code !== 137)
      throw new Error(`SKIFF_CRASH_AT did nothing: is SKIFF_BIN built by build.sh --test?\n${outcome.stderr}`)
    return outcome
  }

  /** Runs it and expects it to succeed; gives its standard output, trimmed. */
  async ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args)
    if (code !== 0) throw new Error(`skiff ${args.join(" ")} gave ${code}\n${stderr}${stdout}`)
    return stdout.trim()
  }

  async inspect(name: string): Promise<Inspected> {
    const [document] = JSON.parse(await this.ok("inspect", name)) as [Inspected]
    return document
  }

  /** Removes every container, then checks that host and store are as they were; then removes the store. */
  async close(): Promise<void> {
    try {
      const { stdout } = await this.run(["ps", "-aq"])
      const ids = stdout.split("\n").filter(Boolean)
      if (ids.length > 0) await this.ok("rm", "-f", "-v", ...ids)
      await this.leavesNothing()
    } finally {
      this.#discard()
    }
  }

  /**
   * Waits until nothing is left: on a busy machine the kernel takes its time to end a network. Before each look goes a command, as it is
   * commands that sweep what is overdue; or nothing, where it is said that none is needed.
   */
  async leavesNothing(timeoutMs = 30_000, sweep: () => Promise<unknown> = () => this.ok("ps", "-q")): Promise<void> {
    let cgroups: string[] | undefined
    await eventually(async () => {
      await sweep()
      const now = hostState(this.directory)
      // one that comes or goes between two looks is of a test that runs beside this
      cgroups = now.cgroups.filter((path) => cgroups?.includes(path) !== false)
      this.#expectNothingLeftIn({ ...now, cgroups })
    }, timeoutMs)
  }

  /** Throws when a mount, link, map element, cgroup or process is there that was not when the store was opened. */
  expectNothingLeft(): void {
    this.#expectNothingLeftIn(hostState(this.directory))
  }

  #expectNothingLeftIn(now: HostState): void {
    for (const kind of Object.keys(now) as (keyof HostState)[]) {
      const left = now[kind].filter((item) => !this.#before[kind].includes(item))
      const more = left.length > MOST_NAMED ? `, and ${left.length - MOST_NAMED} more` : ""
      if (left.length > 0) throw new Error(`left behind: ${kind}: ${left.slice(0, MOST_NAMED).join(", ")}${more}`)
    }
  }

  /** Takes from the host what belongs to the store itself: bridge and table, or the helpers of an ordinary user. */
  #discard(): void {
    if (!user.rootless) removeNetwork(this.runRoot)
    for (const pid of helpersOf(this.directory)) process.kill(pid, "SIGKILL")
    // files of a rootless store belong to subordinate ids: only root, or the user within his own ids, may remove them
    if (user.rootless && user.prefix.length === 0)
      spawnSync("unshare", ["-U", "--map-auto", "--map-root-user", "rm", "-rf", this.directory])
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** What the tests read of docker's inspect document. */
export interface Inspected {
  Id: string
  Name: string
  RestartCount: number
  State: {
    Status: string
    Running: boolean
    Paused: boolean
    OOMKilled: boolean
    Pid: number
    ExitCode: number
    Error: string
    StartedAt: string
    FinishedAt: string
  }
  Config: Record<string, unknown> & { Env: string[]; Labels: Record<string, string>; Hostname: string }
  HostConfig: Record<string, unknown>
  NetworkSettings: {
    IPAddress: string
    Gateway: string
    MacAddress: string
    Ports: Record<string, { HostIp: string; HostPort: string }[] | null>
    Networks: Record<
      string,
      {
        IPAddress: string
        Gateway: string
        GlobalIPv6Address: string
        IPv6Gateway: string
        MacAddress: string
        Aliases: string[] | null
        DNSNames: string[] | null
      }
    >
  }
  Mounts: { Type: string; Source: string; Destination: string; Name?: string; RW: boolean }[]
}

/** Collects output until the end; kills it at the time limit, which then is the outcome. */
export function outcomeOf(child: ChildProcess, timeoutMs = 45_000): Promise<Outcome> {
  let stdout = ""
  let stderr = ""
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text))
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text))
  return new Promise((done, failed) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL")
      failed(new Error(`still running after ${timeoutMs} ms: ${child.spawnargs.join(" ")}\n${stdout}${stderr}`))
    }, timeoutMs * SLOWNESS)
    child.on("error", failed)
    child.on("close", (code, signal) => {
      clearTimeout(timer)
      done({ code: code ?? (signal === "SIGKILL" ? 137 : 128), stdout, stderr })
    })
  })
}

/** The executable that is built for tests (scripts/build.sh); scripts/test.ts gives one that the test's user can reach. */
export const executable = (): string => resolve(process.env.SKIFF_BIN ?? join(import.meta.dir, "../../dist/skiff-test"))
/** The one that people run. */
export const releaseExecutable = (): string =>
  resolve(process.env.SKIFF_RELEASE_BIN ?? join(import.meta.dir, "../../dist/skiff"))
