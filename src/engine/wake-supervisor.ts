import { closeSync } from "node:fs"
import { FileLocks, type HeldLock } from "../sys/fs/file-locks.ts"
import { rootlessUid } from "../sys/fs/paths.ts"
import { spawnProcess } from "../sys/process/process.ts"
import { useOurNamespaces } from "../sys/rootless/use-namespaces.ts"
import { userScope } from "../sys/rootless/user-scope.ts"

/** Held by the supervisor of a store for as long as it lives; the kernel lets go of it when that is killed. */
export function supervisorLock(runRoot: string): HeldLock | undefined {
  return new FileLocks(runRoot, "supervisor").tryAcquire("supervisor.lock")
}

/** What it may know of its caller's environment: places. */
const PASSED_ON = /^(PATH|HOME|USER|LANG|TMPDIR|XDG_.*|DBUS_SESSION_BUS_ADDRESS|_?SKIFF_.*)$/

/**
 * Starts the supervisor of a store unless it runs. Of two that are started at once one finds the lock taken, and ends. It outlives
 * its caller, its session and, under a user's systemd, his login.
 */
export function wakeSupervisor(runRoot: string, command: readonly string[]): void {
  const lock = supervisorLock(runRoot)
  if (lock === undefined) return
  lock[Symbol.dispose]()
  const uid = rootlessUid()
  const scope = uid === undefined ? [] : userScope(uid, process.env.XDG_RUNTIME_DIR)
  // the rootless namespaces are needed as long as it lives
  const inUse = useOurNamespaces()
  try {
    spawnProcess([...scope, ...command], {
      cwd: "/",
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => PASSED_ON.test(name))),
      stdio: ["ignore", "ignore", "ignore", ...(inUse === undefined ? [] : [inUse])],
      detached: true,
    }).unref()
  } finally {
    if (inUse !== undefined) closeSync(inUse)
  }
}
