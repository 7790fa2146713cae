import type { NodeProbe, ContainerProbes } from "../probes.ts"
import type { ProbeResult } from "./probe-target.ts"

export type ProbeKind = "startup" | "liveness" | "readiness"

/** What the probes of one run of a container lead to. */
export interface ProberHooks {
  look(probe: NodeProbe): Promise<ProbeResult>
  /** Each failed look, as kubelet tells it. */
  onFailure(kind: ProbeKind, output: string): void
  /** Readiness or being started has changed. */
  onChange(): void
  /** It is to be killed. */
  onDead(kind: "startup" | "liveness", probe: NodeProbe): void
}

/**
 * The probes of one run of a container: each has one timer. Liveness and readiness begin when the startup probe has succeeded
 * (kubernetes: kubelet/prober/worker.go).
 */
export class Prober implements Disposable {
  readonly #probes: ContainerProbes
  readonly #hooks: ProberHooks
  readonly #timers = new Map<ProbeKind, NodeJS.Timeout>()
  readonly #streaks = new Map<ProbeKind, { isOk: boolean; count: number }>()
  readonly #startedAt: number
  #isDisposed = false
  isStarted: boolean
  isReady: boolean

  /** `known`: what the process before this one knew of this run. */
  constructor(
    probes: ContainerProbes,
    hooks: ProberHooks,
    { startedAt, known }: { startedAt: number; known?: { isStarted: boolean; isReady: boolean } | undefined },
  ) {
    this.#probes = probes
    this.#hooks = hooks
    this.#startedAt = startedAt
    this.isStarted = probes.startup === undefined || (known?.isStarted ?? false)
    this.isReady = probes.readiness === undefined ? true : (known?.isReady ?? false)
    if (this.isStarted) this.#beginOthers()
    else this.#begin("startup")
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true
    for (const timer of this.#timers.values()) clearTimeout(timer)
  }

  /** It is being ended: it is ready no more, and nobody kills it for that. */
  end(): void {
    this[Symbol.dispose]()
    this.isReady = false
  }

  #beginOthers(): void {
    this.#begin("liveness")
    this.#begin("readiness")
  }

  #begin(kind: ProbeKind): void {
    const probe = this.#probes[kind]
    if (probe === undefined || this.#isDisposed) return
    const first = this.#startedAt + probe.initialDelaySeconds * 1000 - Date.now()
    // many that begin in one moment look in turns
    const wait = first > 0 ? first : Math.random() * Math.min(500, probe.periodSeconds * 100)
    this.#timers.set(
      kind,
      setTimeout(() => void this.#look(kind, probe), wait),
    )
  }

  async #look(kind: ProbeKind, probe: NodeProbe): Promise<void> {
    const result = await this.#hooks.look(probe)
    if (this.#isDisposed) return
    this.#take(kind, probe, result)
    if (this.#isDisposed || (kind === "startup" && this.isStarted)) return
    this.#timers.set(
      kind,
      setTimeout(() => void this.#look(kind, probe), probe.periodSeconds * 1000),
    )
  }

  #take(kind: ProbeKind, probe: NodeProbe, { isOk, output }: ProbeResult): void {
    const before = this.#streaks.get(kind)
    const count = before?.isOk === isOk ? before.count + 1 : 1
    this.#streaks.set(kind, { isOk, count })
    if (!isOk) this.#hooks.onFailure(kind, output)
    if (count < (isOk ? probe.successThreshold : probe.failureThreshold)) return
    if (kind === "readiness") {
      if (this.isReady === isOk) return
      this.isReady = isOk
      this.#hooks.onChange()
    } else if (!isOk) {
      this[Symbol.dispose]()
      this.#hooks.onDead(kind, probe)
    } else if (kind === "startup") {
      this.isStarted = true
      this.#beginOthers()
      this.#hooks.onChange()
    }
  }
}
