import type { StorePaths } from "../sys/fs/paths.ts"
import type { Hint } from "../base/hint.ts"
import type { HostCheck } from "./doctor.ts"

/** Who asks, and for which store. */
export interface HostProbe {
  paths: StorePaths
  /** The ordinary user's uid; undefined as root. */
  uid: number | undefined
}

/** What a check found, without the name and the purpose that the table of checks gives it. */
export type Finding = Pick<HostCheck, "status" | "detail" | "repair">

/** One requirement of the host. */
export interface Check {
  name: string
  /** What it is for, in a few words. */
  purpose: string
  look(host: HostProbe): Finding | Promise<Finding>
}

/** The requirement is there; `detail` says what was found. */
export function ok(detail: string): Finding {
  return { status: "ok", detail }
}

/** Who asks can do without it. */
export function notNeeded(detail: string): Finding {
  return { status: "not needed", detail }
}

/** Containers, or what was asked of them, cannot be had without it. */
export function missing(detail: string, repair?: Hint): Finding {
  return { status: "missing", detail, repair }
}

/** Something works worse, or one feature not at all. */
export function warning(detail: string, repair?: Hint): Finding {
  return { status: "warning", detail, repair }
}
