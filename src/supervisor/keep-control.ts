import { setTimeout as sleep } from "node:timers/promises"
import { log } from "../base/log.ts"
import type { Engine } from "../engine/engine.ts"
import type { RunningDuty } from "./duties.ts"

/** What it cannot work without may come back. */
const RETRY_MS = 2_000

/** Runs the controllers of Kubernetes' objects whenever there is something to control, until `signal`. Holds the supervisor meanwhile. */
export async function keepControl(
  engine: Engine,
  { signal, hold }: { signal: AbortSignal; hold(duty: RunningDuty | undefined): void },
): Promise<void> {
  const objects = await engine.kubeObjects()
  while (!signal.aborted) {
    // watched first, then looked: nothing falls between
    await using watch = objects.watch({ signal })
    if (await engine.needsKubeControl()) {
      hold({ is: () => false, [Symbol.dispose]: () => {} })
      await control(engine, signal)
      hold(undefined)
      continue
    }
    await watch.next()
  }
}

async function control(engine: Engine, signal: AbortSignal): Promise<void> {
  try {
    // probes, back-offs and rollouts go on, whoever is killed when nobody runs a command
    using _ = await engine.keepSuccessor()
    await (await engine.kubeControl()).run({ signal })
  } catch (error) {
    log.warn("the supervisor cannot control Kubernetes' objects", { reason: String(error) })
    await sleep(RETRY_MS, undefined, { signal }).catch(() => {})
  }
}
