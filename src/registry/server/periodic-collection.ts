import { setTimeout as sleep } from "node:timers/promises"
import { FailedPrecondition } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import type { GarbageOptions, RegistryStore } from "./server.ts"

/** How often, and what. */
export interface PeriodicCollection extends Pick<GarbageOptions, "graceMs" | "untagged"> {
  everyMs: number
}

/** Collects until it is disposed. A run that fails is told of, and the next one tries again. Throws FailedPrecondition for a store without garbage. */
export function collectPeriodically(
  store: RegistryStore,
  { everyMs, ...options }: PeriodicCollection,
): AsyncDisposable {
  if (store.collect === undefined) throw new FailedPrecondition("the store has no garbage")
  const stop = new AbortController()
  const running = run(store, everyMs, { ...options, signal: stop.signal })
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running
    },
  }
}

async function run(store: RegistryStore, everyMs: number, options: GarbageOptions): Promise<void> {
  const { signal } = options
  for (;;)
    try {
      await sleep(everyMs, undefined, { ref: false, signal })
      const removed = await store.collect?.(options)
      log.info("collected garbage", { ...removed })
    } catch (error) {
      if (signal?.aborted) return
      log.error("garbage could not be collected", { reason: error instanceof Error ? error.message : String(error) })
    }
}
