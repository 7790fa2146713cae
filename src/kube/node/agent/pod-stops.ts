import { setTimeout as sleep } from "node:timers/promises"
import { isSkiffError } from "../../../base/errors.ts"
import type { KeptPod } from "../../controllers/pod-state.ts"
import type { ContainerHooks } from "../hooks.ts"
import type { Attempt } from "./attempt.ts"
import { pathOf } from "./container-path.ts"
import { placedContainers } from "./next-actions.ts"
import type { PodGround } from "./pod-ground.ts"
import { planIfPossible } from "./pod-plan.ts"
import type { PodRuns } from "./pod-runs.ts"
import { runHandler } from "./run-handler.ts"
import type { WorkerContext } from "./worker-context.ts"

/** What a hook leaves, at least, for the stop (kubernetes: minimumGracePeriodInSeconds). */
const LEAST_STOP_S = 2

/** How the containers of a pod end. */
export class PodStops {
  readonly #context: WorkerContext
  readonly #runs: PodRuns
  readonly #ground: PodGround

  constructor(context: WorkerContext, { runs, ground }: { runs: PodRuns; ground: PodGround }) {
    this.#context = context
    this.#runs = runs
    this.#ground = ground
  }

  /** Ends a pod's containers, then its sidecars, the last one first; `isTold`: by events, too. */
  async end(
    pod: KeptPod | undefined,
    graceSeconds: number,
    { isTold = false }: { isTold?: boolean } = {},
  ): Promise<void> {
    const until = Date.now() + graceSeconds * 1000
    const running = [...this.#runs.attempts.values()].filter(({ state }) => state.is === "running")
    if (running.length === 0) return
    const spec = pod?.spec
    const roles = new Map(placedContainers(spec).map(({ container, role }) => [container.name, role]))
    const sidecars = placedContainers(spec)
      .filter(({ role }) => role === "sidecar")
      .map(({ container }) => container.name)
    const isSidecar = ({ name }: Attempt): boolean => roles.get(name) === "sidecar"
    const stopOne = async ({ id, name }: Attempt): Promise<void> => {
      if (isTold && pod) this.#context.tell(pod, "Normal", "Killing", `Stopping container ${name}`, pathOf(pod, name))
      await this.stop(pod, id, Math.max(0, (until - Date.now()) / 1000), { withHook: true })
    }
    await Promise.all(running.filter((one) => !isSidecar(one)).map(stopOne))
    const last = running.filter(isSidecar).toSorted((a, b) => sidecars.indexOf(b.name) - sidecars.indexOf(a.name))
    for (const one of last) await stopOne(one)
  }

  /** Runs the preStop hook, where there is one and it is asked for, and stops what is left by the end of the grace. Safe to repeat. */
  async stop(
    pod: KeptPod | undefined,
    id: string,
    graceSeconds: number,
    { withHook }: { withHook: boolean },
  ): Promise<void> {
    this.#runs.probers.get(id)?.end()
    const until = Date.now() + graceSeconds * 1000
    const preStop = withHook ? (this.#runs.hooks.get(id)?.preStop ?? this.#plannedHooks(pod, id)?.preStop) : undefined
    if (preStop && pod && graceSeconds > 0) {
      const hook = runHandler({ node: this.#context.node, ground: this.#ground, pod }, id, preStop).catch(
        (error: unknown) => {
          const name = this.#runs.attempts.get(id)?.name ?? ""
          this.#context.tell(
            pod,
            "Warning",
            "FailedPreStopHook",
            `PreStopHook failed: ${(error as Error).message}`,
            pathOf(pod, name),
          )
        },
      )
      const late = new AbortController()
      await Promise.race([hook, sleep(graceSeconds * 1000, undefined, { signal: late.signal }).catch(() => {})])
      late.abort()
    }
    const left = Math.ceil((until - Date.now()) / 1000)
    const timeoutSeconds = preStop ? Math.max(LEAST_STOP_S, left) : Math.max(0, left)
    try {
      await this.#context.node.containers.stop(id, { timeoutSeconds })
    } catch (error) {
      if (!isSkiffError(error, "NotFound")) throw error
    }
  }

  #plannedHooks(pod: KeptPod | undefined, id: string): ContainerHooks | undefined {
    const name = this.#runs.attempts.get(id)?.name
    const placed = placedContainers(pod?.spec).find(({ container }) => container.name === name)
    if (pod === undefined || placed?.container.lifecycle === undefined) return undefined
    const input = this.#ground.planInput(pod)
    return planIfPossible(input, placed, 0)?.hooks
  }
}
