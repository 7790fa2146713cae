import type { Containers } from "../../../container/container.ts"
import { CONTAINER_NAME_LABEL, POD_UID_LABEL } from "../../node/agent/labels.ts"
import type { ContainerUse, PodUses } from "../metrics.ts"

/** What the containers of pods use now: a share of processors is one of half a second. */
export async function podUses(containers: Containers): Promise<PodUses> {
  const uses = new Map<string, Map<string, ContainerUse>>()
  const rounds = containers.stats({ select: ({ options }) => options.labels[POD_UID_LABEL] !== undefined })
  for await (const round of rounds) {
    for (const { container, usage } of round) {
      const { [POD_UID_LABEL]: uid, [CONTAINER_NAME_LABEL]: name } = container.options.labels
      if (uid === undefined || name === undefined || usage === undefined) continue
      const own = uses.get(uid) ?? new Map<string, ContainerUse>()
      uses.set(uid, own.set(name, { cpuMilli: usage.cpu.percent * 10, memoryBytes: usage.memory.usedBytes ?? 0 }))
    }
    break
  }
  return uses
}
