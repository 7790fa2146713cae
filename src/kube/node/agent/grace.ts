import type { KeptPod } from "../../controllers/pod-state.ts"

const DEFAULT_GRACE_S = 30

/** Seconds that a pod's containers are given to end. */
export function graceOf({ spec }: KeptPod): number {
  return spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE_S
}
