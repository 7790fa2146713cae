/** A running container becomes what its record says. */
import { crashPoint } from "../base/crash-point.ts"
import { log } from "../base/log.ts"
import { changeEgress, changePublished, changeRate } from "./attachments.ts"
import type { Resources } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { containerEvent } from "./events.ts"
import { limitsInput } from "./limits.ts"
import { DEFAULT_PIDS_LIMIT } from "./options.ts"
import type { ContainerRecord, PendingUpdate } from "./record.ts"
import { runtimeOf } from "./time-namespace.ts"

/** Does what an update has begun. Safe to repeat. Throws as `Containers.update`. */
export async function bringInLine(deps: ContainerDeps, record: ContainerRecord, pending: PendingUpdate): Promise<void> {
  const { formerResources, ports, rate, egress } = pending
  if (ports !== undefined) await changePublished(deps, record, ports)
  crashPoint("update:ports-changed")
  if (rate) await changeRate(deps, record)
  if (egress) await changeEgress(deps, record)
  if (formerResources !== undefined) await bound(deps, record, formerResources)
}

async function bound(deps: ContainerDeps, record: ContainerRecord, former: Resources): Promise<void> {
  const { resources, limits } = record.spec.options
  const fallback = { pidsLimitWherePossible: DEFAULT_PIDS_LIMIT }
  await (
    await deps.runtimes()
  ).changeLimits(await runtimeOf(deps, record), record.id, {
    before: { ...fallback, ...former },
    after: { ...fallback, ...resources },
    placement: limitsInput(limits).cgroupPlacement,
  })
}

/** What a killed process began. The caller holds the lock; the container runs. */
export async function finishUpdate(deps: ContainerDeps, record: ContainerRecord): Promise<void> {
  const { updating } = record.state
  if (updating === undefined) return
  try {
    await bringInLine(deps, record, updating)
  } catch (error) {
    // as it was asked for, it cannot be: the record says so from the next start on, and nobody tries for ever
    log.warn(`the update of container "${record.name}" could not be finished`, { reason: String(error) })
  }
  delete record.state.updating
  deps.records.saveSpec(record, [containerEvent(record, "update")])
}
