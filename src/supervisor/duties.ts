import type { Containers, Duty, HealthMonitor } from "../container/container.ts"

/** One container that is being seen to; disposed, it is left alone. */
export interface RunningDuty extends Disposable {
  is(duty: Duty): boolean
}

/** What a duty is done with. */
export interface DutyContext {
  containers: Containers
  /** What there is to do may be another thing now. */
  onDone(id: string): void
  onFailure(id: string, error: unknown): void
}

type Of<K extends Duty["kind"]> = Extract<Duty, { kind: K }>

/** A restart that failed in another way than by its start: the lock was taken for too long. */
const RETRY_MS = 5_000

/** Checks one run of a container, each check a while after the end of the last. */
export class CheckDuty implements RunningDuty {
  readonly #context: DutyContext
  readonly #duty: Of<"check">
  #monitor: HealthMonitor | undefined
  #timer: NodeJS.Timeout | undefined
  #isDisposed = false

  constructor(context: DutyContext, duty: Of<"check">) {
    this.#context = context
    this.#duty = duty
    void this.#begin()
  }

  is(duty: Duty): boolean {
    return duty.kind === "check" && duty.startedAt === this.#duty.startedAt
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true
    clearTimeout(this.#timer)
    this.#monitor?.[Symbol.dispose]()
  }

  async #begin(): Promise<void> {
    this.#monitor = await this.#context.containers.health.monitor(this.#duty.id)
    if (this.#isDisposed) this.#monitor[Symbol.dispose]()
    else this.#schedule(this.#monitor)
  }

  #schedule(monitor: HealthMonitor): void {
    this.#timer = setTimeout(() => void this.#check(monitor), monitor.delayMs())
  }

  async #check(monitor: HealthMonitor): Promise<void> {
    const { containers, onDone, onFailure } = this.#context
    const { id } = this.#duty
    try {
      const outcome = await monitor.check()
      if (outcome === undefined && !this.#isDisposed) {
        // where its monitor was killed nobody else writes the end down
        await containers.cleanup(id)
        onDone(id)
      }
    } catch (error) {
      onFailure(id, error)
    }
    if (!this.#isDisposed) this.#schedule(monitor)
  }
}

/** Starts a container when its back-off has passed. */
export class RestartDuty implements RunningDuty {
  readonly #context: DutyContext
  readonly #duty: Of<"restart">
  #timer: NodeJS.Timeout

  constructor(context: DutyContext, duty: Of<"restart">) {
    this.#context = context
    this.#duty = duty
    this.#timer = setTimeout(() => void this.#restart(), Math.max(0, duty.at - Date.now()))
  }

  is(duty: Duty): boolean {
    return duty.kind === "restart" && duty.at === this.#duty.at
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }

  async #restart(): Promise<void> {
    const { containers, onDone, onFailure } = this.#context
    const { id } = this.#duty
    try {
      await containers.health.restart(id)
    } catch (error) {
      onFailure(id, error)
      const now = containers.health.duty(id)
      if (now !== undefined && this.is(now)) this.#timer = setTimeout(() => void this.#restart(), RETRY_MS)
    }
    onDone(id)
  }
}

/** Keeps the supervisor, which looks at all that run: a look at one costs as much as one at a hundred. */
export class LookDuty implements RunningDuty {
  readonly #startedAt: number

  constructor({ startedAt }: Of<"look">) {
    this.#startedAt = startedAt
  }

  is(duty: Duty): boolean {
    return duty.kind === "look" && duty.startedAt === this.#startedAt
  }

  [Symbol.dispose](): void {}
}
