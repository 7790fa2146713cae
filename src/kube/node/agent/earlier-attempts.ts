import type { PodStatus } from "kubernetes-types/core/v1"

function statusOf(status: PodStatus | undefined, name: string) {
  return [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].find(
    (one) => one.name === name,
  )
}

/** The exit code of a container that the status says has ended. */
export function endOf(status: PodStatus | undefined, name: string): number | undefined {
  return statusOf(status, name)?.state?.terminated?.exitCode
}

/** The number of a container's next run, where the engine has none of those before it. */
export function lostAttempts(status: PodStatus | undefined, name: string): number {
  const before = statusOf(status, name)
  return before?.containerID === undefined ? 0 : before.restartCount + 1
}
