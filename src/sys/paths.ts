import { FailedPrecondition } from "../base/errors.ts"

/** Where the state of one user lies (design.md, section 3). */
export interface StorePaths {
  /** Survives reboots: blobs, layers, records, volumes. Mode 0700. */
  root: string
  /** Volatile: bundles, sockets, locks. Mode 0700. */
  runRoot: string
}

/** Set by the launcher when it enters the keeper's namespaces: the caller's real uid there. */
export const ROOTLESS_UID_ENV = "_SKIFF_ROOTLESS_UID"

/** The caller's uid on the host when we are in the keeper's user namespace; undefined as real root. */
export function rootlessUid(): number | undefined {
  const text = process.env[ROOTLESS_UID_ENV]
  return text === undefined ? undefined : Number(text)
}

/** The default places, or those of `SKIFF_ROOT` and `SKIFF_RUN_ROOT`. */
export function defaultPaths(env: Record<string, string | undefined> = process.env): StorePaths {
  const uid = rootlessUid() ?? process.getuid?.() ?? 0
  if (uid === 0) return { root: env.SKIFF_ROOT ?? "/var/lib/skiff", runRoot: env.SKIFF_RUN_ROOT ?? "/run/skiff" }
  const home = env.HOME
  if (env.SKIFF_ROOT === undefined && env.XDG_DATA_HOME === undefined && home === undefined)
    throw new FailedPrecondition("no place for images and containers: HOME is not set", {
      hint: "set HOME, or SKIFF_ROOT",
    })
  return {
    root: env.SKIFF_ROOT ?? `${env.XDG_DATA_HOME ?? `${home}/.local/share`}/skiff`,
    runRoot: env.SKIFF_RUN_ROOT ?? `${env.XDG_RUNTIME_DIR ?? `/tmp/skiff-run-${uid}`}/skiff`,
  }
}
