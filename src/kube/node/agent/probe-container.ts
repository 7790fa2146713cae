import type { Container as ContainerSpec } from "kubernetes-types/core/v1"
import type { KeptPod } from "../../controllers/pod-state.ts"
import type { ContainerProbes } from "../probes.ts"
import type { Attempt } from "./attempt.ts"
import { pathOf } from "./container-path.ts"
import type { PodGround } from "./pod-ground.ts"
import type { PodRuns } from "./pod-runs.ts"
import { probeOnce } from "./probe-request.ts"
import { Prober } from "./prober.ts"
import type { WorkerContext } from "./worker-context.ts"

/** Begins to probe a container that runs: from what the pod's status says of it, as a process before this one may have left it. */
export function probeContainer(
  context: WorkerContext,
  { pod, ground, runs }: { pod: KeptPod; ground: PodGround; runs: PodRuns },
  { container, attempt: { id, state } }: { container: ContainerSpec; attempt: Attempt },
  probes: ContainerProbes,
): Prober {
  const { node } = context
  const where = pathOf(pod, container.name)
  const said = (pod.status?.containerStatuses ?? []).find(({ containerID }) => containerID === `skiff://${id}`)
  return new Prober(
    probes,
    {
      look: async (probe) =>
        probeOnce(
          {
            containers: node.containers,
            containerId: id,
            address: ground.podIps(pod)[0] ?? "127.0.0.1",
            sandboxId: ground.probedSandbox(pod),
            dial: node.dial,
          },
          probe.handler,
          probe.timeoutSeconds * 1000,
        ),
      onFailure: (kind, output) => {
        const word = { startup: "Startup", liveness: "Liveness", readiness: "Readiness" }[kind]
        context.tell(pod, "Warning", "Unhealthy", `${word} probe failed: ${output}`, where)
      },
      onChange: () => context.wake(),
      onDead: (kind, probe) => {
        runs.dead.set(id, { kind, probe })
        context.wake()
      },
    },
    {
      startedAt: state.is === "running" ? state.startedAt : Date.now(),
      known: said && { isStarted: said.started === true, isReady: said.ready },
    },
  )
}
