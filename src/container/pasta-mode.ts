/** Containers that have the host's own addresses by a pasta of their own, as podman's. */
import type { ContainerDeps } from "./deps.ts"
import type { ResolvedOptions } from "./container.ts"
import type { ContainerRecord } from "./record.ts"
import type { RunParameters } from "./container.ts"

/** What such a container publishes: a free port of the host's is chosen once for all its starts. Throws what it cannot have. */
export async function planPasta(
  deps: ContainerDeps,
  options: ResolvedOptions,
  run: RunParameters,
): Promise<{ options: ResolvedOptions; run: RunParameters }> {
  if (options.network.kind !== "pasta") return { options, run }
  const ports = (await (await deps.networks()).pastaNamespaces()).plan(options.network.options, run.ports)
  return { options: { ...options, ports, publishAll: false }, run: { ...run, ports } }
}

/** Leads the namespace of the container's first process to the host. */
export async function connectPasta(deps: ContainerDeps, { id, spec, state }: ContainerRecord): Promise<void> {
  const { network } = spec.options
  if (network.kind !== "pasta" || state.pid === undefined) return
  const namespaces = await (await deps.networks()).pastaNamespaces()
  const { options } = network
  await namespaces.connect({ containerId: id, netns: `/proc/${state.pid}/ns/net`, ports: spec.run.ports, options })
}
