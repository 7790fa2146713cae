import type { Container } from "../../../container/container.ts"
import type { KeptPod } from "../../controllers/pod-state.ts"
import type { ContainerHooks } from "../hooks.ts"
import type { NodeProbe } from "../probes.ts"
import { attemptOf, withFailure, type Attempt } from "./attempt.ts"
import { ifThere } from "./if-there.ts"
import { placedContainers } from "./next-actions.ts"
import type { NodeContext } from "./node-context.ts"
import type { Prober } from "./prober.ts"
import { terminationMessage } from "./termination-message.ts"

/** The runs of a pod's containers, by the engine's ids: what the engine has of them, and what this process alone knows. */
export class PodRuns {
  /** As they were seen last. */
  readonly attempts = new Map<string, Attempt>()
  /** Of those that run and have probes. */
  readonly probers = new Map<string, Prober>()
  /** Those whose postStart is done. */
  readonly hooked = new Set<string>()
  readonly hooks = new Map<string, ContainerHooks>()
  /** Those that a probe has found dead, until they are stopped. */
  readonly dead = new Map<string, { kind: string; probe: NodeProbe }>()
  /** Of those whose program never ran. */
  readonly startFailures = new Map<string, { message: string; at: number; exitCode: number }>()
  /** What they left in their termination messages. */
  readonly messages = new Map<string, string | undefined>()
  readonly #node: NodeContext
  readonly #uid: string

  constructor(node: NodeContext, uid: string) {
    this.#node = node
    this.#uid = uid
  }

  /** A container of the pod that the engine has. */
  take(container: Container): void {
    const attempt = attemptOf(container)
    if (attempt !== undefined) this.attempts.set(attempt.id, attempt)
  }

  /** What the engine has of them now, and what they have said at their ends. */
  async refresh(pod: KeptPod): Promise<void> {
    const { containers } = this.#node
    for (const { id } of this.attempts.values()) {
      const found = ifThere(() => containers.get(id))
      const attempt = found && attemptOf(found)
      if (attempt === undefined) this.forget(id)
      else this.attempts.set(id, withFailure(attempt, this.startFailures.get(id)))
    }
    for (const { id, state } of this.attempts.values())
      if (state.is !== "running") {
        this.probers.get(id)?.[Symbol.dispose]()
        this.probers.delete(id)
      }
    for (const { container } of placedContainers(pod.spec))
      for (const one of this.attemptsOf(container.name).slice(0, 2)) {
        if (one.state.is !== "ended" || this.messages.has(one.id)) continue
        const { exitCode } = one.state
        this.messages.set(one.id, await terminationMessage(this.#node, this.#uid, container, { ...one, exitCode }))
      }
  }

  /** One that the engine has no more. */
  forget(id: string): void {
    this.probers.get(id)?.[Symbol.dispose]()
    this.probers.delete(id)
    for (const map of [this.attempts, this.hooks, this.dead, this.startFailures, this.messages]) map.delete(id)
    this.hooked.delete(id)
  }

  /** Newest first. */
  attemptsOf(name: string): Attempt[] {
    return [...this.attempts.values()]
      .filter((one) => one.name === name)
      .toSorted((a, b) => b.attempt - a.attempt || b.createdAt - a.createdAt)
  }

  /** The newest; undefined: it never ran. */
  latest(name: string): Attempt | undefined {
    return this.attemptsOf(name)[0]
  }

  /** Whether it runs, its postStart is done and its startup probe has passed. */
  isStarted(latest: Attempt | undefined): boolean {
    if (latest?.state.is !== "running" || !this.hooked.has(latest.id)) return false
    return this.probers.get(latest.id)?.isStarted ?? true
  }
}
