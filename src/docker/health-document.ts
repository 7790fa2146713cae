import type { Health, HealthStatus } from "../container/container.ts"

/** `State.Health` of docker's inspect document. Pure. */
export function healthDocument({ status, failingStreak, log }: Health): Record<string, unknown> {
  return {
    Status: status,
    FailingStreak: failingStreak,
    Log: log.map(({ start, end, exitCode, output }) => ({
      Start: new Date(start).toISOString(),
      End: new Date(end).toISOString(),
      ExitCode: exitCode,
      Output: output,
    })),
  }
}

/** What `ps` adds to `Up 3 seconds`. Pure. */
export function healthSuffix(health: HealthStatus | undefined): string {
  if (health === undefined) return ""
  return health === "starting" ? " (health: starting)" : ` (${health})`
}
