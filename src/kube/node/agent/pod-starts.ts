import { isSkiffError } from "../../../base/errors.ts"
import type { Container } from "../../../container/container.ts"
import type { KeptPod } from "../../controllers/pod-state.ts"
import type { ContainerHooks } from "../hooks.ts"
import type { BackOffs } from "./back-offs.ts"
import { pathOf } from "./container-path.ts"
import { lostAttempts } from "./earlier-attempts.ts"
import { graceOf } from "./grace.ts"
import { ifThere } from "./if-there.ts"
import type { PlacedContainer } from "./next-actions.ts"
import type { PodGround } from "./pod-ground.ts"
import type { PodImages } from "./pod-images.ts"
import { planContainer } from "./pod-plan.ts"
import type { PodRuns } from "./pod-runs.ts"
import type { PodStops } from "./pod-stops.ts"
import { keepVolumes } from "./pod-volumes.ts"
import { runHandler } from "./run-handler.ts"
import { serviceVariables } from "./sources.ts"
import { messageMount } from "./termination-message.ts"
import type { WorkerContext } from "./worker-context.ts"

/** What a start has to do with. */
export interface StartParts {
  runs: PodRuns
  ground: PodGround
  images: PodImages
  stops: PodStops
  backOffs: BackOffs
  /** Writes the pod's status as it is now. */
  write(pod: KeptPod): void
}

/** How the containers of a pod come to run. */
export class PodStarts {
  readonly #context: WorkerContext
  readonly #parts: StartParts

  constructor(context: WorkerContext, parts: StartParts) {
    this.#context = context
    this.#parts = parts
  }

  /** The next run of a container, as far as its images, its sources and the engine let it: what is in the way is told, and tried again. */
  async start(pod: KeptPod, placed: PlacedContainer): Promise<void> {
    const { container } = placed
    const { name } = container
    if (!(await this.#parts.images.have(pod, placed))) return
    const before = this.#parts.runs.latest(name)
    const attempt = before === undefined ? lostAttempts(pod.status, name) : before.attempt + 1
    const input = this.#parts.ground.planInput(pod)
    let plan: ReturnType<typeof planContainer>
    try {
      plan = planContainer(input, placed, attempt)
      await keepVolumes(this.#context.node, this.#context.uid, plan.volumes)
    } catch (error) {
      return this.#context.refuse(pod, container.name, "CreateContainerConfigError", (error as Error).message)
    }
    if (before?.state.is === "ended") this.#parts.backOffs.count(name, Date.now())
    const made = await this.#create(pod, placed, { attempt, plan })
    if (made === undefined) return
    this.#context.waiting.delete(name)
    await this.#begin(pod, placed, made, plan)
  }

  async #create(
    pod: KeptPod,
    placed: PlacedContainer,
    { attempt, plan: { options } }: { attempt: number; plan: ReturnType<typeof planContainer> },
  ): Promise<Container | undefined> {
    const { containers, pods } = this.#context.node
    const { container } = placed
    const { podId } = this.#parts.ground.found
    if (podId === undefined) return undefined
    const target = (container as { targetContainerName?: string }).targetContainerName
    const targetId = target === undefined ? undefined : this.#parts.runs.latest(target)?.id
    try {
      const whole = await pods.containerOptions(podId, {
        ...options,
        env: [...serviceVariables(this.#context.node.cluster, pod), ...(options.env ?? [])],
        mounts: [
          ...(options.mounts ?? []),
          ...(placed.role === "ephemeral"
            ? []
            : [messageMount(this.#context.node, this.#context.uid, container, attempt)]),
        ],
        ...(targetId !== undefined && {
          namespaces: { ...options.namespaces, pid: { kind: "container", container: targetId } },
        }),
      })
      const name = whole.name ?? ""
      // of a process that was killed in between
      const left = ifThere(() => containers.get(name))
      if (left !== undefined) await containers.remove(left.id, { force: true })
      const made = await containers.create(whole)
      this.#parts.runs.take(made)
      this.#context.tell(pod, "Normal", "Created", `Container created`, pathOf(pod, container.name))
      return made
    } catch (error) {
      this.#context.refuse(pod, container.name, "CreateContainerError", (error as Error).message)
      return undefined
    }
  }

  async #begin(
    pod: KeptPod,
    { container, role }: PlacedContainer,
    { id }: Container,
    { hooks }: { hooks: ContainerHooks },
  ): Promise<void> {
    const { containers } = this.#context.node
    this.#parts.runs.hooks.set(id, hooks)
    try {
      const started = await containers.start(id, { abort: this.#context.node.signal })
      started.release()
    } catch (error) {
      const message = (error as Error).message
      const exitCode = isSkiffError(error) ? (error.data.programExit ?? 128) : 128
      this.#parts.runs.startFailures.set(id, { message, at: Date.now(), exitCode })
      this.#context.tell(pod, "Warning", "Failed", `Error: ${message}`, pathOf(pod, container.name))
      return
    }
    this.#parts.runs.take(containers.get(id))
    this.#context.tell(pod, "Normal", "Started", `Container started`, pathOf(pod, container.name))
    if (hooks.postStart && role !== "init") {
      this.#parts.write(pod)
      try {
        await runHandler({ node: this.#context.node, ground: this.#parts.ground, pod }, id, hooks.postStart)
      } catch (error) {
        const message = (error as Error).message
        this.#context.tell(
          pod,
          "Warning",
          "FailedPostStartHook",
          `PostStartHook failed: ${message}`,
          pathOf(pod, container.name),
        )
        this.#context.tell(pod, "Normal", "Killing", `FailedPostStartHook`, pathOf(pod, container.name))
        await this.#parts.stops.stop(pod, id, graceOf(pod), { withHook: false })
        return
      }
    }
    this.#parts.runs.hooked.add(id)
  }
}
