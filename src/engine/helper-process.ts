/** Processes of a store that stay where one is needed, one of each kind: whoever sees the need starts it, unless it runs. */
import { closeSync, constants, fstatSync, openSync, statSync } from "node:fs"
import { log } from "../base/log.ts"
import { O_CLOEXEC, tryLock, unlockAndClose } from "../sys/libc.ts"
import { FileLocks } from "../sys/fs/file-locks.ts"
import { rootlessUid } from "../sys/fs/paths.ts"
import { spawnProcess, type Child } from "../sys/process/process.ts"
import { useOurNamespaces } from "../sys/rootless/use-namespaces.ts"
import { userScope } from "../sys/rootless/user-scope.ts"

/** The supervisor of containers (src/supervisor/); the resolver of names (src/network/dns/); a look at running containers (src/scan/watch/); the proxy of Ingresses. */
export type HelperKind = "supervisor" | "resolver" | "rescan" | "ingress"

/** Where one that was woken finds the lock that it was handed: an ordinary user's may have a descriptor before it. */
const HANDED_FDS = [3, 4]
/** One that ends sooner has no successor: what ends at once would be started again and again. */
const SUCCESSOR_AFTER_MS = 5_000
const SIGTERM = 15

const lockName = (kind: HelperKind): string => `${kind}.lock`

/**
 * Held by the helper of a store for as long as it lives; the kernel lets go of it when that is killed. `wasHanded`: who woke us
 * took it for us. Undefined: another process has it.
 */
export function helperLock(runRoot: string, kind: HelperKind, wasHanded = false): Disposable | undefined {
  const handed = wasHanded ? HANDED_FDS.find((fd) => isLockFile(fd, `${runRoot}/${lockName(kind)}`)) : undefined
  if (handed !== undefined && tryLock(handed)) return { [Symbol.dispose]: () => unlockAndClose(handed) }
  return new FileLocks(runRoot, kind).tryAcquire(lockName(kind))
}

function isLockFile(fd: number, path: string): boolean {
  try {
    return fstatSync(fd).ino === statSync(path).ino
  } catch {
    return false
  }
}

/** What it may know of its caller's environment: places. */
const PASSED_ON = /^(PATH|HOME|USER|LANG|TMPDIR|XDG_.*|DBUS_SESSION_BUS_ADDRESS|_?SKIFF_.*)$/

/**
 * Starts the helper of a store unless it runs. It gets the lock from us, and so there is one from this moment on, though it takes a
 * while to load. It outlives its caller, its session and, under a user's systemd, his login.
 */
export function wakeHelper(runRoot: string, kind: HelperKind, command: readonly string[]): void {
  const lock = openSync(
    `${runRoot}/${lockName(kind)}`,
    constants.O_CREAT | constants.O_RDWR | constants.O_NOFOLLOW | O_CLOEXEC,
    0o600,
  )
  if (!tryLock(lock)) return closeSync(lock)
  try {
    spawnHelper([...command, "--handed"], [lock]).unref()
  } finally {
    // closed and not unlocked: its copy holds on
    closeSync(lock)
  }
}

/**
 * Called by the helper itself: should it be killed, another one takes its place, though nobody runs a command. A process of `flock` waits
 * for the lock until then, asleep in the kernel. Disposed before the helper ends by itself: nobody follows. Where there is no `flock`,
 * nobody does either.
 */
export function keepSuccessor(runRoot: string, kind: HelperKind, command: readonly string[]): Disposable {
  let child: Child | undefined
  const timer = setTimeout(() => {
    const words = ["flock", "--exclusive", "--no-fork", `${runRoot}/${lockName(kind)}`, ...command, "--handed"]
    try {
      child = spawnHelper(words)
      child.unref()
    } catch (error) {
      log.debug("nobody will follow a helper that is killed", { reason: String(error) })
    }
  }, SUCCESSOR_AFTER_MS)
  return {
    [Symbol.dispose]() {
      clearTimeout(timer)
      child?.kill(SIGTERM)
    },
  }
}

/** It outlives us. `descriptors` are its own from 3 on. */
function spawnHelper(command: readonly string[], descriptors: readonly number[] = []): Child {
  const uid = rootlessUid()
  const scope = uid === undefined ? [] : userScope(uid, process.env.XDG_RUNTIME_DIR)
  // the rootless namespaces are needed as long as it lives
  const inUse = useOurNamespaces()
  try {
    return spawnProcess([...scope, ...command], {
      cwd: "/",
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => PASSED_ON.test(name))),
      stdio: ["ignore", "ignore", "ignore", ...descriptors, ...(inUse === undefined ? [] : [inUse])],
      detached: true,
    })
  } finally {
    if (inUse !== undefined) closeSync(inUse)
  }
}
