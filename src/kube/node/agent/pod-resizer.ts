import type { KeptPod } from "../../controllers/pod-state.ts"
import { pathOf } from "./container-path.ts"
import { graceOf } from "./grace.ts"
import { placedContainers } from "./next-actions.ts"
import type { PodGround } from "./pod-ground.ts"
import { planIfPossible } from "./pod-plan.ts"
import type { PodRuns } from "./pod-runs.ts"
import type { PodStops } from "./pod-stops.ts"
import { changedResources, resizeRefusal, type ResizeCondition } from "./resize.ts"
import type { WorkerContext } from "./worker-context.ts"

/** A try that may fit later. */
const RETRY_MS = 30_000

/** Gives the containers of a pod that runs the resources that its object says now. */
export class PodResizer {
  /** What the status is to say; undefined: all is as it is wanted. */
  condition: ResizeCondition | undefined
  /** The object's generation whose resources the containers have. */
  #sizedFor: number | undefined
  readonly #context: WorkerContext
  readonly #runs: PodRuns
  readonly #ground: PodGround
  readonly #stops: PodStops

  constructor(context: WorkerContext, { runs, ground, stops }: { runs: PodRuns; ground: PodGround; stops: PodStops }) {
    this.#context = context
    this.#runs = runs
    this.#ground = ground
    this.#stops = stops
  }

  /**
   * Brings what runs to the resources that it shall have now: in place, or anew where its resizePolicy says so (KEP-1287). True: what runs may be
   * another now.
   */
  async resize(pod: KeptPod): Promise<boolean> {
    const { generation } = pod.metadata
    if (this.#sizedFor === generation) return false
    const input = this.#ground.planInput(pod)
    const running = placedContainers(pod.spec).flatMap((placed) => {
      const latest = this.#runs.latest(placed.container.name)
      const plan = latest?.state.is === "running" ? planIfPossible(input, placed, latest.attempt) : undefined
      const changes = plan && latest && changedResources(latest.resources, plan.options.resources ?? {})
      return latest && changes ? [{ placed, id: latest.id, changes }] : []
    })
    const { cluster, nodeName, containers } = this.#context.node
    const refusal = running.length === 0 ? undefined : resizeRefusal(pod, cluster, nodeName)
    if (refusal !== undefined) {
      const { reason } = refusal
      if (this.condition?.reason !== reason) this.#context.tell(pod, "Warning", `Resize${reason}`, refusal.message)
      this.condition = { type: "PodResizePending", ...refusal }
      if (reason === "Deferred") this.#context.again(RETRY_MS)
      else this.#sizedFor = generation
      return false
    }
    this.condition = undefined
    for (const { placed, id, changes } of running) {
      const { name, resizePolicy = [] } = placed.container
      const isAnew = resizePolicy.some(
        ({ resourceName, restartPolicy }) =>
          restartPolicy === "RestartContainer" &&
          Object.keys(changes).some((key) => key.startsWith(resourceName === "cpu" ? "cpu" : "memory")),
      )
      try {
        if (isAnew) {
          const word = `Container ${name} resize requires restart`
          this.#context.tell(pod, "Normal", "Killing", word, pathOf(pod, name))
          await this.#stops.stop(pod, id, graceOf(pod), { withHook: true })
        } else await containers.update(id, { resources: changes }, { abort: this.#context.node.signal })
        this.#context.tell(pod, "Normal", "ResizeCompleted", "Pod resize completed", pathOf(pod, name))
      } catch (error) {
        const { message } = error as Error
        this.condition = { type: "PodResizeInProgress", reason: "Error", message }
        this.#context.tell(pod, "Warning", "ResizeError", `Pod resize failed: ${message}`, pathOf(pod, name))
        this.#context.again(RETRY_MS)
        return false
      }
    }
    this.#sizedFor = generation
    return running.length > 0
  }
}
