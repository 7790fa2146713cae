import { throwIfAborted } from "../base/cancel.ts"
import { crashPoint } from "../base/crash-point.ts"
import type { ProcessIdentity } from "../sys/process/process-identity.ts"
import type { Abortable } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { containerEvent } from "./events.ts"
import { isSeenTo } from "./health/duty.ts"
import { isRunning } from "./observe.ts"
import { reconciled } from "./reconcile-now.ts"
import { runtimeOf } from "./time-namespace.ts"
import { wrongState } from "./wrong-state.ts"

/** With `owner`, only while that process lives: killed, it leaves no program that stands still for ever. */
export async function pause(
  deps: ContainerDeps,
  nameOrId: string,
  { owner, abort }: Abortable & { owner?: ProcessIdentity } = {},
): Promise<void> {
  await freeze(deps, nameOrId, { from: "running", to: "paused", verb: "pause", owner, abort })
}

/** See `Containers.unpause`. */
export async function unpause(deps: ContainerDeps, nameOrId: string, { abort }: Abortable = {}): Promise<void> {
  await freeze(deps, nameOrId, { from: "paused", to: "running", verb: "resume", abort })
}

interface Freezing extends Abortable {
  from: "running" | "paused"
  to: "running" | "paused"
  verb: "pause" | "resume"
  owner?: ProcessIdentity
}

async function freeze(
  deps: ContainerDeps,
  nameOrId: string,
  { from, to, verb, owner, abort }: Freezing,
): Promise<void> {
  const { id, name } = deps.records.get(nameOrId)
  throwIfAborted(abort, `to ${verb} container "${name}"`)
  using lock = await deps.locks.acquire(id, { signal: abort })
  const record = await reconciled(deps, id, lock)
  if (record.status !== from || !isRunning(record, deps))
    throw wrongState(
      record,
      `container "${record.name}" is not ${from}`,
      record.status === to ? `it is ${to} already` : { do: "start", container: record.name },
    )
  const runtime = await runtimeOf(deps, record)
  if (owner !== undefined) {
    record.state.frozenBy = owner
    deps.records.save(record)
  }
  await runtime[verb](id)
  await deps.records.whenFree()
  crashPoint(`${verb}:done`)
  record.status = to
  if (verb === "resume") delete record.state.frozenBy
  deps.records.save(record, [containerEvent(record, verb === "pause" ? "pause" : "unpause")])
  // none may be there any more: a paused container needs none
  if (verb === "resume" && isSeenTo(record.spec, deps)) deps.supervise()
}
