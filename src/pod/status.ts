import type { ContainerState } from "../container/container.ts"
import type { Sandbox } from "../sandbox/sandbox.ts"
import type { PodStatus } from "./pod.ts"

/**
 * A pod's state, of its containers' and its sandbox's, by podman's rule, to which the sandbox is one more container: it
 * runs while it is ready, and is paused with the others. Pure.
 */
export function podStatus(states: readonly ContainerState["status"][], sandbox: Sandbox | undefined): PodStatus {
  const all = sandbox === undefined ? states : [...states, sandboxStatus(states, sandbox)]
  const count = (...wanted: ContainerState["status"][]): number => all.filter((one) => wanted.includes(one)).length
  const running = count("running")
  if (all.length === 0) return "Created"
  if (running === all.length) return "Running"
  if (running > 0) return "Degraded"
  if (count("paused") === all.length) return "Paused"
  if (count("exited") === all.length) return "Exited"
  if (count("exited") > 0) return "Stopped"
  return count("restarting", "removing") > 0 ? "Error" : "Created"
}

/** What a sandbox would be as a container. Pure. */
function sandboxStatus(
  states: readonly ContainerState["status"][],
  { state, startedAt }: Sandbox,
): "created" | "running" | "paused" | "exited" {
  if (state.status !== "ready") return startedAt === undefined ? "created" : "exited"
  return states.includes("paused") && !states.includes("running") ? "paused" : "running"
}
