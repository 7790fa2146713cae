/** Processes of a store that stay where one is needed, one of each kind: whoever sees the need starts it, unless it runs. */
import { closeSync, constants, fstatSync, openSync, statSync } from "node:fs"
import { O_CLOEXEC, tryLock, unlockAndClose } from "../sys/libc.ts"
import { FileLocks } from "../sys/fs/file-locks.ts"
import { rootlessUid } from "../sys/fs/paths.ts"
import { spawnProcess } from "../sys/process/process.ts"
import { useOurNamespaces } from "../sys/rootless/use-namespaces.ts"
import { userScope } from "../sys/rootless/user-scope.ts"

/** The supervisor of containers (src/supervisor/); the resolver of names (src/network/dns/); a look at running containers (src/scan/watch/); the proxy of Ingresses. */
export type HelperKind = "supervisor" | "resolver" | "rescan" | "ingress"

/** Where one that was woken finds the lock that it was handed. */
const HANDED_FD = 3

const lockName = (kind: HelperKind): string => `${kind}.lock`

/**
 * Held by the helper of a store for as long as it lives; the kernel lets go of it when that is killed. `wasHanded`: who woke us
 * took it for us. Undefined: another process has it.
 */
export function helperLock(runRoot: string, kind: HelperKind, wasHanded = false): Disposable | undefined {
  if (wasHanded && isLockFile(HANDED_FD, `${runRoot}/${lockName(kind)}`) && tryLock(HANDED_FD))
    return { [Symbol.dispose]: () => unlockAndClose(HANDED_FD) }
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
  const uid = rootlessUid()
  const scope = uid === undefined ? [] : userScope(uid, process.env.XDG_RUNTIME_DIR)
  // the rootless namespaces are needed as long as it lives
  const inUse = useOurNamespaces()
  try {
    spawnProcess([...scope, ...command, "--handed"], {
      cwd: "/",
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => PASSED_ON.test(name))),
      stdio: ["ignore", "ignore", "ignore", lock, ...(inUse === undefined ? [] : [inUse])],
      detached: true,
    }).unref()
  } finally {
    // closed and not unlocked: its copy holds on
    closeSync(lock)
    if (inUse !== undefined) closeSync(inUse)
  }
}
