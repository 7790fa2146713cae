/** Makes the rootless namespaces and their pause process, or a new pause process where it was killed. Off the hot path. */
import { closeSync, openSync, readdirSync, readSync, writeSync } from "node:fs"
import { atomicWrite } from "../../base/atomic-write.ts"
import { FailedPrecondition, Unavailable } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import { findProgram, readText } from "../host.ts"
import { pipe, tryLock } from "../libc.ts"
import { loginDirectory } from "../fs/paths.ts"
import { parentOf, processStartTime, spawnProcess, type Child } from "../process/process.ts"
import { NEW_NAMESPACES, SAME_NAMESPACES, WHEN_FREE } from "./pause-scripts.ts"
import { mapIds, possibleMap, subordinateIds } from "./id-map.ts"
import { userScope } from "./user-scope.ts"
import {
  isMember,
  pauseProcessLives,
  namespaceOf,
  recordedNamespaces,
  namespacesFile,
  type RootlessNamespaces,
} from "./namespaces.ts"

const LOCK_WAIT_MS = 30_000

export interface PauseOptions {
  /** How long nobody must have needed the namespaces before they go. Default 3. */
  idleSeconds?: number
}

const IDLE_SECONDS = 3
/** Gives namespaces with a living pause process; of many callers at once, one makes it. The run root must be ours and private. */
export async function ensureNamespaces(runRoot: string, options: PauseOptions = {}): Promise<RootlessNamespaces> {
  const pause = (script: string): string[] => {
    const idle = String(options.idleSeconds ?? IDLE_SECONDS)
    return ["/bin/sh", "-c", script, runRoot, WHEN_FREE, idle]
  }
  const lock = openSync(`${runRoot}/pause.lock`, "a", 0o600)
  try {
    await takeLock(lock)
    const old = recordedNamespaces(runRoot)
    const member = old && findMember(old)
    // rootless namespaces of one id is left for a better one as soon as the user has a range and nothing runs there any more
    const better = old?.singleId === true && possibleMap() !== "own" && onlyPauseProcess(old)
    if (old && !better && pauseProcessLives(old)) return old
    if (old && !better && member !== undefined) {
      const renewed = await adoptNamespaces(runRoot, old, member, pause(SAME_NAMESPACES)).catch((cause: unknown) => {
        log.warn("the containers of a killed pause process cannot be taken over", { cause: String(cause) })
      })
      if (renewed) return renewed
    }
    const namespaces = await createNamespaces(runRoot, pause(NEW_NAMESPACES))
    if (old && better && pauseProcessLives(old)) process.kill(old.pausePid, "SIGKILL")
    return namespaces
  } finally {
    closeSync(lock)
  }
}

async function takeLock(fd: number): Promise<void> {
  const deadline = Date.now() + LOCK_WAIT_MS
  while (!tryLock(fd)) {
    if (Date.now() > deadline)
      throw new Unavailable("another skiff has been starting the pause process for 30 s", { hint: "try again" })
    await Bun.sleep(3)
  }
}

/** A process of the namespaces that outlived their pause process: a container's monitor, mostly. */
function findMember(namespaces: RootlessNamespaces): number | undefined {
  return members(namespaces).next().value ?? undefined
}

/** With the flock or sleep that it may have started. */
function onlyPauseProcess(namespaces: RootlessNamespaces): boolean {
  const { pausePid } = namespaces
  return [...members(namespaces)].every((pid) => pid === pausePid || parentOf(pid) === pausePid)
}

function* members(namespaces: RootlessNamespaces): Generator<number, undefined> {
  for (const name of readdirSync("/proc"))
    if (/^\d+$/.test(name) && isMember(Number(name), namespaces)) yield Number(name)
  return undefined
}

async function createNamespaces(runRoot: string, pause: readonly string[]): Promise<RootlessNamespaces> {
  const map = possibleMap()
  // its own id it can map itself, before it becomes another program: that may not gain privileges everywhere
  const own = map === "own" ? ["--map-root-user"] : []
  const unshare = [program("unshare"), "--user", ...own, "--mount", "--net", "--propagation", "slave"]
  using pauseProcess = new StartingPauseProcess([...ownScope(), ...unshare, ...pause])
  pauseProcess.expect("unshared")
  if (map !== "own") await mapIds(pauseProcess.pid, map)
  pauseProcess.tell("mapped")
  pauseProcess.expect("ready")
  if (map === "own") warnOfOneId()
  return pauseProcess.record(runRoot, map === "own")
}

function warnOfOneId(): void {
  const hasRange = subordinateIds(process.getuid?.() ?? 0) !== undefined
  const why = hasRange ? "newuidmap may not gain privileges here" : "no range of yours in /etc/subuid and /etc/subgid"
  log.warn(`${why}: files of other users belong to root here`, { repair: "doctor tells it" })
}

async function adoptNamespaces(
  runRoot: string,
  namespaces: RootlessNamespaces,
  member: number,
  pause: readonly string[],
): Promise<RootlessNamespaces> {
  const enter = [program("nsenter"), "--target", String(member), "--user", "--mount", "--preserve-credentials"]
  using pauseProcess = new StartingPauseProcess([...ownScope(), ...enter, ...pause])
  pauseProcess.expect("ready")
  // the member may have ended, and another taken its number, while we entered
  if (!isMember(pauseProcess.pid, namespaces)) throw new FailedPrecondition("its last process has ended")
  return pauseProcess.record(runRoot, namespaces.singleId)
}

/** A pause process lives as long as the user's systemd, not as the session that happened to come first. */
function ownScope(): string[] {
  const uid = process.getuid?.() ?? 0
  return userScope(uid, loginDirectory(uid))
}

function program(name: string): string {
  const path = findProgram(name)
  if (path === undefined)
    throw new FailedPrecondition(`${name} of util-linux is not installed`, { hint: { do: "diagnose" } })
  return path
}

/** A pause process at the other end of two pipes, until it is on record. */
class StartingPauseProcess implements Disposable {
  readonly #child: Child
  readonly #input: number
  readonly #output: number

  constructor(argv: readonly string[]) {
    const input = pipe()
    const output = pipe()
    // nothing else of the caller's environment stays in a process that may live for days
    const env = {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      XDG_RUNTIME_DIR: loginDirectory(process.getuid?.() ?? 0), // for systemd-run
    }
    try {
      const stdio = [input.readEnd, output.writeEnd, output.writeEnd]
      this.#child = spawnProcess(argv, { stdio, detached: true, env, cwd: "/" })
    } finally {
      closeSync(input.readEnd)
      closeSync(output.writeEnd)
    }
    this.#child.unref()
    this.#input = input.writeEnd
    this.#output = output.readEnd
  }

  get pid(): number {
    return this.#child.pid
  }

  tell(word: string): void {
    writeSync(this.#input, `${word}\n`)
  }

  /** Waits for the line `word`. Throws FailedPrecondition with what came in its place. */
  expect(word: string): void {
    let text = ""
    const chunk = Buffer.alloc(4096)
    while (!text.endsWith(`${word}\n`)) {
      const count = readSync(this.#output, chunk)
      if (count === 0) throw startFailure(text)
      text += chunk.toString("utf8", 0, count)
    }
  }

  record(runRoot: string, singleId: boolean): RootlessNamespaces {
    const pauseStartTime = processStartTime(this.pid)
    const userNamespace = namespaceOf(this.pid, "user")
    const mountNamespace = namespaceOf(this.pid, "mnt")
    if (pauseStartTime === undefined || userNamespace === undefined || mountNamespace === undefined)
      throw startFailure("it has ended")
    const namespaces = { pausePid: this.pid, pauseStartTime, userNamespace, mountNamespace, singleId }
    atomicWrite(namespacesFile(runRoot), JSON.stringify(namespaces))
    this.tell("recorded")
    return namespaces
  }

  /** Lets go of the pipes: a pause process that was not told to stay ends. */
  [Symbol.dispose](): void {
    closeSync(this.#input)
    closeSync(this.#output)
  }
}

function startFailure(output: string): FailedPrecondition {
  return new FailedPrecondition(`cannot make namespaces as an ordinary user: ${output.trim() || "no reason given"}`, {
    hint: isFiltered() ? IN_A_CONTAINER : ({ do: "diagnose" } as const),
  })
}

const IN_A_CONTAINER =
  "a filter of system calls is set for us: inside a container allow user namespaces " +
  "(seccomp=unconfined), or be its root: builds need no namespace then"

/** seccomp(2): proc_pid_status(5). */
function isFiltered(): boolean {
  return /^Seccomp:\s*2$/m.test(readText("/proc/self/status") ?? "")
}
