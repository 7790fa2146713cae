import { throwIfAborted } from "../base/cancel.ts"
import { crashPoint } from "../base/crash-point.ts"
import { FailedPrecondition, isSkiffError } from "../base/errors.ts"
import type { PodDeps } from "./deps.ts"
import type { PodId, PodStop } from "./pod.ts"
import type { PodRecord } from "./records.ts"

/** See `Pods.remove`. The mark is written before the first container goes, and whoever finds it later goes on. */
export async function removePod(
  deps: PodDeps,
  nameOrId: string,
  { force = false, timeoutSeconds, signal }: PodStop & { force?: boolean } = {},
): Promise<PodId> {
  const { id, name } = deps.records.get(nameOrId)
  throwIfAborted(signal, `the removal of pod "${name}"`)
  using lock = await deps.locks.acquire(id, { signal })
  const record = deps.records.byId(id)
  if (record && !record.removing) {
    const containers = await deps.containers()
    const running = containers.list({ pod: [id] })
    const [first] = running
    if (first && !force)
      throw new FailedPrecondition(
        `cannot remove pod "${name}": cannot remove container "${first.name}" as it is ${first.state.status}: ` +
          "running or paused containers cannot be removed without force: container state improper",
        { hint: ["stop the pod first", { do: "set", field: "force" }] },
      )
    if (timeoutSeconds !== undefined)
      await Promise.allSettled(running.map((one) => containers.stop(one.id, { timeoutSeconds, abort: signal })))
    deps.records.markRemoving(record)
  }
  if (record) await finishRemoval(deps, record)
  lock.unlink()
  return id
}

/** Of one that is marked; the caller holds its lock. Safe to repeat. */
export async function finishRemoval(deps: PodDeps, record: PodRecord): Promise<void> {
  crashPoint("pod:removing")
  const containers = await deps.containers()
  for (const { id } of containers.list({ all: true, pod: [record.id] }))
    await unlessGone(() => containers.remove(id, { force: true, volumes: true }))
  crashPoint("pod:containers-removed")
  const { sandboxId } = record.spec
  if (sandboxId !== undefined) {
    const sandboxes = await deps.sandboxes()
    await unlessGone(() => sandboxes.remove(sandboxId))
  }
  crashPoint("pod:sandbox-removed")
  deps.records.delete(record)
}

/** Of pods whose removal was begun by processes that are gone. */
export async function finishRemovals(deps: PodDeps): Promise<void> {
  for (const { id } of deps.records.list().filter(({ removing }) => removing)) {
    using lock = deps.locks.tryAcquire(id)
    const record = lock && deps.records.byId(id)
    if (!record) continue
    await finishRemoval(deps, record)
    lock.unlink()
  }
}

async function unlessGone(act: () => Promise<unknown>): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (!isSkiffError(error, "NotFound")) throw error
  }
}
