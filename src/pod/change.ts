/** How a pod is changed: under its lock, with its row as it is then. */
import { throwIfAborted, type Cancellable } from "../base/cancel.ts"
import { NotFound } from "../base/errors.ts"
import { limiter } from "../base/limiter.ts"
import type { Container } from "../container/container.ts"
import type { PodDeps } from "./deps.ts"
import type { PodRecord } from "./records.ts"
import { finishRemoval } from "./remove.ts"

const AT_ONCE = 8

/** Throws NotFound, also for a pod whose removal was begun: it is finished first. */
export async function changePod<T>(
  deps: PodDeps,
  nameOrId: string,
  { signal }: Cancellable,
  change: (record: PodRecord) => Promise<T>,
): Promise<T> {
  const { id, name } = deps.records.get(nameOrId)
  throwIfAborted(signal, `the change of pod "${name}"`)
  using lock = await deps.locks.acquire(id, { signal })
  const record = deps.records.byId(id)
  if (record?.removing) await finishRemoval(deps, record)
  if (!record || record.removing) {
    lock.unlink()
    throw new NotFound(`no such pod: "${nameOrId}"`, {
      hint: "it was just removed",
      data: { object: "pod", name: nameOrId },
    })
  }
  // awaited here: the lock goes with this scope
  return await change(record)
}

/** Of a pod, oldest first. */
export async function containersOf(deps: PodDeps, { id }: PodRecord): Promise<Container[]> {
  return (await deps.containers()).list({ all: true, pod: [id] }).toReversed()
}

/** Does it to each, several at once; what fails of some is thrown together, after the others. */
export async function forContainers(
  what: string,
  containers: readonly Container[],
  act: (container: Container) => Promise<unknown>,
): Promise<void> {
  const limit = limiter(AT_ONCE)
  const results = await Promise.allSettled(containers.map((container) => limit(() => act(container))))
  const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []))
  if (failures.length === 1) throw failures[0]
  if (failures.length > 1) throw new AggregateError(failures, `${what}: ${failures.length} containers failed`)
}
