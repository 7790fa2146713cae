import { readFileSync, statSync } from "node:fs"
import { resolve } from "node:path"
import { FailedPrecondition } from "../../base/errors.ts"

/** Where the state of one user lies (ARCHITECTURE.md, "State"). */
export interface StorePaths {
  /** Survives reboots: blobs, layers, records, volumes. Mode 0700. */
  root: string
  /** Volatile: bundles, sockets, locks. Mode 0700. */
  runRoot: string
}

/** Set by the launcher when it enters the pause process's namespaces: the caller's real uid there. */
export const ROOTLESS_UID_ENV = "_SKIFF_ROOTLESS_UID"
/** The caller's group, told to the process that has entered the rootless namespaces. */
export const ROOTLESS_GID_ENV = "_SKIFF_ROOTLESS_GID"
/** Set as well: who called us is outside. */
export const JUST_ENTERED_ENV = "_SKIFF_JUST_ENTERED"

let verified: { text: string | undefined; uid: number | undefined } | undefined

/** The caller's uid on the host when we are in the pause process's user namespace; undefined as real root. */
export function rootlessUid(): number | undefined {
  const text = process.env[ROOTLESS_UID_ENV]
  if (text === undefined) return undefined
  // anybody can set a variable: the kernel must say the same
  if (verified?.text !== text) verified = { text, uid: mapsRootTo(Number(text)) ? Number(text) : undefined }
  return verified.uid
}

/** The caller's gid on the host, as `rootlessUid`. */
export function rootlessGid(): number | undefined {
  const text = process.env[ROOTLESS_GID_ENV]
  return rootlessUid() === undefined || text === undefined ? undefined : Number(text)
}

/**
 * user_namespaces(7): in the pause process's namespace, and only there, 0 is exactly the caller and no one after him. The caller
 * may be root, of a container that lets him do little else (id-map.ts, `sameIds`).
 */
function mapsRootTo(uid: number): boolean {
  const [inside, outside, count] = readFileSync("/proc/self/uid_map", "latin1").trim().split(/\s+/)
  return process.getuid?.() === 0 && inside === "0" && count === "1" && Number(outside) === uid
}

/** The default places, or those of `SKIFF_ROOT` and `SKIFF_RUN_ROOT`. The same inside the pause process's namespaces and outside. */
export function defaultPaths(env: Record<string, string | undefined> = process.env): StorePaths {
  const uid = rootlessUid() ?? process.getuid?.() ?? 0
  const root = env.SKIFF_ROOT || (uid === 0 ? "/var/lib/skiff" : `${dataHome(env)}/skiff`)
  const runRoot = env.SKIFF_RUN_ROOT || (uid === 0 ? "/run/skiff" : `${runtimeDirectory(uid, env)}/skiff`)
  return { root: resolve(root), runRoot: resolve(runRoot) }
}

function dataHome(env: Record<string, string | undefined>): string {
  if (env.XDG_DATA_HOME) return env.XDG_DATA_HOME
  if (env.HOME) return `${env.HOME}/.local/share`
  throw new FailedPrecondition("no place for images and containers: HOME is not set", {
    hint: "set HOME, or SKIFF_ROOT",
  })
}

/** Where the user's run state lies; without a login's directory one in /tmp, which the launcher proves to be the user's own. */
export function runtimeDirectory(uid: number, env: Record<string, string | undefined> = process.env): string {
  return loginDirectory(uid, env) ?? `/tmp/skiff-run-${uid}`
}

/**
 * `$XDG_RUNTIME_DIR`; where it is not set (cron, sudo, su), the directory that the user's login would have: a container that
 * one of them started is seen by the other. Undefined when there is none.
 */
export function loginDirectory(uid: number, env: Record<string, string | undefined> = process.env): string | undefined {
  if (env.XDG_RUNTIME_DIR) return env.XDG_RUNTIME_DIR
  const directory = `/run/user/${uid}`
  return statSync(directory, { throwIfNoEntry: false })?.uid === process.getuid?.() ? directory : undefined
}
