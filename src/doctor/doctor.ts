import type { Hint } from "../base/hint.ts"

/** What a host has and lacks for containers: the result of each check. */
export interface HostCheck {
  /** `runtime`, `conmon`, `overlay` … */
  name: string
  /** What it is for, in a few words. */
  purpose: string
  status: "ok" | "missing" | "warning" | "not needed"
  /** What was found. */
  detail: string
  /** What repairs it: most often one command of the host. */
  repair?: Hint
}
