/** Makes the keeper of a world, or a new keeper for a world whose own was killed. Off the hot path: once a login. */
import { closeSync, openSync, readdirSync, readSync, writeSync } from "node:fs"
import { atomicWrite } from "../../base/atomic-write.ts"
import { FailedPrecondition, Unavailable } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import { findProgram, readText } from "../host.ts"
import { pipe, tryLock } from "../libc.ts"
import { loginFolder } from "../fs/paths.ts"
import { processStartTime, spawnProcess, type Child } from "../process/process.ts"
import { mapIds, possibleMap, subordinateIds } from "./id-map.ts"
import { userScope } from "./user-scope.ts"
import { isMember, keeperLives, namespaceOf, netnsFile, recordedWorld, worldFile, type World } from "./namespaces.ts"

const LOCK_WAIT_MS = 30_000

/**
 * The keeper goes on only when told to: its standard input ends when we die, and it with it. So a launcher that is killed
 * between any two lines leaves no keeper that nobody knows of.
 */
const NEW_WORLD = `
echo unshared; read -r mapped || exit 1
: >"$0" && mount --bind /proc/self/ns/net "$0" || exit 1
echo ready; read -r recorded || exit 1
exec sleep infinity </dev/null >/dev/null 2>&1`

const SAME_WORLD = `
echo ready; read -r recorded || exit 1
exec sleep infinity </dev/null >/dev/null 2>&1`

/** Gives a world with a living keeper; of many callers at once, one makes it. The run root must be ours and private. */
export async function ensureWorld(runRoot: string): Promise<World> {
  const lock = openSync(`${runRoot}/keeper.lock`, "a", 0o600)
  try {
    await takeLock(lock)
    const old = recordedWorld(runRoot)
    const member = old && findMember(old)
    // a world of one id is left for a better one as soon as the user has a range and nothing runs there any more
    const better = old?.singleId === true && possibleMap() !== "own" && onlyKeeper(old)
    if (old && !better && keeperLives(old)) return old
    if (old && !better && member !== undefined) {
      const renewed = await adoptWorld(runRoot, old, member).catch((cause: unknown) => {
        log.warn("the containers of a killed keeper cannot be taken over", { cause: String(cause) })
      })
      if (renewed) return renewed
    }
    const world = await createWorld(runRoot)
    if (old && better && keeperLives(old)) process.kill(old.keeperPid, "SIGKILL")
    return world
  } finally {
    closeSync(lock)
  }
}

async function takeLock(fd: number): Promise<void> {
  const deadline = Date.now() + LOCK_WAIT_MS
  while (!tryLock(fd)) {
    if (Date.now() > deadline)
      throw new Unavailable("another skiff has been starting the keeper for 30 s", { hint: "try again" })
    await Bun.sleep(3)
  }
}

/** A process of the world that outlived its keeper: a container's monitor, mostly. */
function findMember(world: World): number | undefined {
  return members(world).next().value ?? undefined
}

function onlyKeeper(world: World): boolean {
  return [...members(world)].every((pid) => pid === world.keeperPid)
}

function* members(world: World): Generator<number, undefined> {
  for (const name of readdirSync("/proc")) if (/^\d+$/.test(name) && isMember(Number(name), world)) yield Number(name)
  return undefined
}

async function createWorld(runRoot: string): Promise<World> {
  const map = possibleMap()
  // its own id it can map itself, before it becomes another program: that may not gain privileges everywhere
  const own = map === "own" ? ["--map-root-user"] : []
  const unshare = [program("unshare"), "--user", ...own, "--mount", "--net", "--propagation", "slave"]
  using keeper = new StartingKeeper([...ownScope(), ...unshare, "/bin/sh", "-c", NEW_WORLD, netnsFile(runRoot)])
  keeper.expect("unshared")
  if (map !== "own") await mapIds(keeper.pid, map)
  keeper.tell("mapped")
  keeper.expect("ready")
  if (map === "own") warnOfOneId()
  return keeper.record(runRoot, map === "own")
}

function warnOfOneId(): void {
  const hasRange = subordinateIds(process.getuid?.() ?? 0) !== undefined
  const why = hasRange ? "newuidmap may not gain privileges here" : "no range of yours in /etc/subuid and /etc/subgid"
  log.warn(`${why}: files of other users belong to root here`, { repair: "skiff doctor" })
}

async function adoptWorld(runRoot: string, world: World, member: number): Promise<World> {
  const enter = [program("nsenter"), "--target", String(member), "--user", "--mount", "--preserve-credentials"]
  using keeper = new StartingKeeper([...ownScope(), ...enter, "/bin/sh", "-c", SAME_WORLD])
  keeper.expect("ready")
  // the member may have ended, and another taken its number, while we entered
  if (!isMember(keeper.pid, world)) throw new FailedPrecondition("its last process has ended")
  return keeper.record(runRoot, world.singleId)
}

/** A keeper lives as long as the user's systemd, not as the session that happened to come first. */
function ownScope(): string[] {
  const uid = process.getuid?.() ?? 0
  return userScope(uid, loginFolder(uid))
}

function program(name: string): string {
  const path = findProgram(name)
  if (path === undefined)
    throw new FailedPrecondition(`${name} of util-linux is not installed`, { hint: "see the repair: skiff doctor" })
  return path
}

/** A keeper at the other end of two pipes, until it is on record. */
class StartingKeeper implements Disposable {
  readonly #child: Child
  readonly #input: number
  readonly #output: number

  constructor(argv: readonly string[]) {
    const input = pipe()
    const output = pipe()
    // nothing else of the caller's environment stays in a process that lives for days
    const env = {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      XDG_RUNTIME_DIR: loginFolder(process.getuid?.() ?? 0), // for systemd-run
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

  record(runRoot: string, singleId: boolean): World {
    const keeperStartTime = processStartTime(this.pid)
    const userNamespace = namespaceOf(this.pid, "user")
    const mountNamespace = namespaceOf(this.pid, "mnt")
    if (keeperStartTime === undefined || userNamespace === undefined || mountNamespace === undefined)
      throw startFailure("it has ended")
    const world = { keeperPid: this.pid, keeperStartTime, userNamespace, mountNamespace, singleId }
    atomicWrite(worldFile(runRoot), JSON.stringify(world))
    this.tell("recorded")
    return world
  }

  /** Lets go of the pipes: a keeper that was not told to stay ends. */
  [Symbol.dispose](): void {
    closeSync(this.#input)
    closeSync(this.#output)
  }
}

function startFailure(output: string): FailedPrecondition {
  return new FailedPrecondition(`cannot make namespaces as an ordinary user: ${output.trim() || "no reason given"}`, {
    hint: isFiltered() ? IN_A_CONTAINER : "see what is missing, and its repair: skiff doctor",
  })
}

const IN_A_CONTAINER =
  "a filter of system calls is set for us: inside a container allow user namespaces " +
  "(--security-opt seccomp=unconfined), or be its root: builds need no namespace then"

/** seccomp(2): proc_pid_status(5). */
function isFiltered(): boolean {
  return /^Seccomp:\s*2$/m.test(readText("/proc/self/status") ?? "")
}
