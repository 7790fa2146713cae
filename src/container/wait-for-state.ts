import { NotFound } from "../base/errors.ts"
import { throwIfAborted } from "../base/cancel.ts"
import type { Container, WaitState, WaitedState } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { reconcileNow } from "./reconcile-now.ts"
import { isRunning, toContainer } from "./observe.ts"
import { needsReconciling } from "./suspects.ts"
import { AWAITED, exitOf, lastExit } from "./wait.ts"

/** See `Containers.waitForState`. */
export async function waitForState(
  deps: ContainerDeps,
  nameOrId: string,
  states: readonly WaitState[],
  { signal }: { signal?: AbortSignal } = {},
): Promise<WaitedState> {
  const { id, name } = deps.records.get(nameOrId)
  // watched before the first look: nothing falls between
  await using events = deps.events.watch({ filter: { containers: [id] }, signal })
  let event = events.next()
  for (;;) {
    throwIfAborted(signal, AWAITED)
    const record = deps.records.byId(id)
    if (record === undefined) {
      const exitCode = lastExit(deps, id)
      if (states.includes("removed")) return { state: "removed", exitCode }
      throw new NotFound(`container "${name}" was removed while it was waited for`)
    }
    const container = toContainer(record, deps)
    const state = states.find((one) => isIn(container, one))
    const exitCode = exitCodeOf(container)
    if (state !== undefined) return { state, exitCode }
    if (!isRunning(record, deps) && needsReconciling(record, deps)) {
      await reconcileNow(deps, id, signal)
      continue
    }
    const looking = new AbortController()
    const aborts = AbortSignal.any([looking.signal, ...(signal === undefined ? [] : [signal])])
    // the end is known from the monitor, all else from the events
    const ended = isRunning(record, deps) ? exitOf(deps, record, aborts).catch(() => undefined) : never()
    const woken = await Promise.race([event.then(() => "event" as const), ended.then(() => "ended" as const)])
    looking.abort()
    if (woken === "event") event = events.next()
  }
}

function isIn({ state, health }: Container, wanted: WaitState): boolean {
  if (wanted === "healthy" || wanted === "unhealthy") return health === wanted
  return state.status === wanted
}

function exitCodeOf({ state }: Container): number | undefined {
  return state.status === "exited" || state.status === "restarting" ? state.exitCode : undefined
}

function never(): Promise<undefined> {
  return new Promise(() => {})
}
