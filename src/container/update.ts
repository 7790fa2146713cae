/**
 * Changes of a container that is there, running or not. The record says first what shall hold, and that the kernel may lag behind
 * (`state.updating`): killed in between, the next command brings the kernel in line.
 */
import { crashPoint } from "../base/crash-point.ts"
import { FailedPrecondition, NotFound } from "../base/errors.ts"
import { log } from "../base/log.ts"
import { bringInLine } from "./bring-in-line.ts"
import { changedSpec, isMeant } from "./changed-spec.ts"
import type { ContainerChanges, PortChanges } from "./changes.ts"
import type { Abortable, Container } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { containerEvent } from "./events.ts"
import { checkNetworkLimits, limitsInput } from "./limits.ts"
import { isChecked } from "./health/duty.ts"
import { isRunning, toContainer } from "./observe.ts"
import { reconcile } from "./reconcile.ts"
import type { ContainerRecord, ContainerSpec, PendingUpdate } from "./record.ts"

/** See `Containers.update`. */
export async function update(
  deps: ContainerDeps,
  nameOrId: string,
  changes: ContainerChanges,
  { abort }: Abortable = {},
): Promise<Container> {
  const { id, name } = deps.records.get(nameOrId)
  using lock = await deps.locks.acquire(id, { signal: abort })
  const record = await reconcile(deps, id)
  if (record === undefined) {
    lock.unlink()
    throw new NotFound(`no such container: "${name}"`, { hint: "it was just removed" })
  }
  const before = record.spec
  const spec = changedSpec(before, changes)
  await check(deps, record, spec, changes)
  const pending = pendingOf(record, before, changes)
  await deps.records.whenFree(abort)
  record.spec = spec
  if (isRunning(record, deps) && pending !== undefined) {
    record.state.updating = pending
    deps.records.saveSpec(record)
    crashPoint("update:recorded")
    try {
      await bringInLine(deps, record, pending)
    } catch (error) {
      await takeBack(deps, record, before, pending)
      throw error
    }
    crashPoint("update:applied")
    await deps.records.whenFree()
  }
  delete record.state.updating
  deps.records.saveSpec(record, [containerEvent(record, "update")])
  if (changes.health !== undefined && isChecked(record.spec)) deps.supervise()
  return toContainer(record, deps)
}

async function check(
  deps: ContainerDeps,
  record: ContainerRecord,
  { options }: ContainerSpec,
  changes: ContainerChanges,
): Promise<void> {
  if (changes.resources !== undefined) {
    const runtimes = await deps.runtimes()
    await runtimes.checkLimits(options.resources, limitsInput(options.limits).cgroupPlacement)
  }
  if (changes.networkRate !== undefined || changes.egress !== undefined) checkNetworkLimits(options)
  if (changes.ports === undefined || (options.network.kind === "bridge" && options.sandbox === undefined)) return
  throw new FailedPrecondition(`container "${record.name}" has no network of its own in which ports are published`, {
    field: "ports",
    hint: "publish them on the container, or the sandbox, whose network it is",
  })
}

/** What there is to do beside the record. */
function pendingOf(
  { state }: ContainerRecord,
  { options }: ContainerSpec,
  { resources, ports, networkRate, egress }: ContainerChanges,
): PendingUpdate | undefined {
  if ([resources, ports, networkRate, egress].every((change) => change === undefined)) return undefined
  const published = state.attachments.flatMap(({ endpoint }) => endpoint?.ports ?? [])
  const unpublish = ports?.unpublish.flatMap((one) => published.filter((port) => isMeant(port, one))) ?? []
  return {
    ...(resources && { formerResources: options.resources }),
    ...(ports && { ports: { publish: ports.publish, unpublish } }),
    ...(networkRate && { rate: true }),
    ...(egress && { egress: true }),
  }
}

/** As before: the kernel as far as it goes, the record in any case. */
async function takeBack(
  deps: ContainerDeps,
  record: ContainerRecord,
  before: ContainerSpec,
  { formerResources, ports, rate, egress }: PendingUpdate,
): Promise<void> {
  const failed = record.spec.options.resources
  record.spec = before
  try {
    const reverse: PortChanges | undefined = ports && { publish: ports.unpublish, unpublish: ports.publish }
    await bringInLine(deps, record, {
      ...(formerResources && { formerResources: failed }),
      ...(reverse && { ports: reverse }),
      ...(rate && { rate }),
      ...(egress && { egress }),
    })
  } catch (error) {
    log.warn(`the failed update of container "${record.name}" could not be taken back`, { reason: String(error) })
  }
  delete record.state.updating
  deps.records.saveSpec(record)
}
