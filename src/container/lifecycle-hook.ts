import type { HealthRequest } from "./health/health.ts"

/** What is done at an end of a container's run (run-hooks.ts). Requests are for containers in a sandbox. */
export type LifecycleHook =
  | { kind: "exec"; command: readonly string[] }
  | { kind: "sleep"; seconds: number }
  | Extract<HealthRequest, { kind: "http" | "tcp" }>
