/**
 * The supervisor: one process for each store, for what somebody must stay for. It checks the health of containers on time, and starts
 * those whose back-off has passed; where somebody asked for it, it keeps full log files, and samples what containers use. Where there are
 * Kubernetes' objects, their controllers and the node agent run in it (kube/).
 *
 *   a command sees need ─ the lock is free ─▶ started ─ nothing to do for a while ─▶ lets go of the lock ─ looks once more ─▶ ended
 *
 * It holds no truth: what it knows it has read from the records, and what it finds out is written down at once. It may be killed at
 * any time; the next command that sees need starts another one. It sleeps until a check is due or an event wakes it, and
 * asks nobody anything meanwhile.
 */
import { readdirSync } from "node:fs"
import { log } from "../base/log.ts"
import { shortId } from "../base/short-id.ts"
import type { Containers, Duty } from "../container/container.ts"
import type { Engine } from "../engine/engine.ts"
import type { Event } from "../event/event.ts"
import { adoptOrphans, closeOnExec, reapAdopted } from "../sys/process/become.ts"
import { keepControl } from "./keep-control.ts"
import { CheckDuty, LookDuty, RestartDuty, type DutyContext, type RunningDuty } from "./duties.ts"

/** A container that ends and starts again needs no new supervisor. */
const LINGER_MS = 2_000

/** conmon goes on to its next file by itself: who looks so often misses none that takes longer to fill. */
const LOOK_EVERY_MS = 2_000

/** The resolver of names has nobody else who would miss it: a look whether there was one, and was killed, costs 5 µs. */
const RESOLVER_LOOK_MS = 2_000

/** Data change once in some hours. */
const SCAN_LOOK_MS = 10_000

/** What may change what there is to do. */
const ACTIONS = ["start", "die", "pause", "unpause", "update", "stop", "kill", "destroy"]

/** Resolves when there is nothing to do any more, or another process does it. */
export async function supervise(engine: Engine, { wasHanded = false } = {}): Promise<void> {
  // what we were handed, locks, is for us and for no program in a container (CVE-2024-21626)
  closeOnExec(readdirSync("/proc/self/fd").map(Number))
  // a shell that stays in a container is one of us: until somebody has taken its end the container's does not come (pid_namespaces(7))
  adoptOrphans()
  process.on("SIGCHLD", reapAdopted)
  const { health } = await engine.containers()
  // whoever found the lock taken until it was let go of has left its need to us
  for (
    let isFirst = true;
    isFirst || health.duties().length > 0 || (await engine.needsKubeControl());
    isFirst = false
  ) {
    using lock = await engine.takeSupervision(wasHanded && isFirst)
    if (lock === undefined) return
    await superviseUntilIdle(engine)
  }
}

async function superviseUntilIdle(engine: Engine): Promise<void> {
  const containers = await engine.containers()
  const events = await engine.events()
  const idle = new AbortController()
  // watched first, then read: nothing falls between
  await using watch = events.watch({ filter: { types: ["container"], actions: ACTIONS }, signal: idle.signal })
  using shift = new Shift(containers, () => idle.abort())
  using _ = every(RESOLVER_LOOK_MS, () => engine.keepResolver(), "start the resolver of names")
  using __ = every(SCAN_LOOK_MS, () => engine.keepScanned(), "have containers scanned again")
  const control = keepControl(engine, { signal: idle.signal, hold: (duty) => shift.hold("kubernetes", duty) })
  for (const duty of containers.health.duties()) shift.take(duty.id, duty)
  for await (const { actor } of watch as AsyncIterable<Event>) shift.take(actor.id, containers.health.duty(actor.id))
  await control
}

function every(milliseconds: number, act: () => Promise<unknown>, what: string): Disposable {
  const tell = (error: unknown) => log.warn(`the supervisor cannot ${what}`, { reason: String(error) })
  const timer = setInterval(() => void act().catch(tell), milliseconds)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/** All that is being done, until there is nothing to do. */
class Shift implements Disposable {
  readonly #running = new Map<string, RunningDuty>()
  readonly #context: DutyContext
  readonly #onIdle: () => void
  readonly #containers: Containers
  #idleTimer: NodeJS.Timeout
  #looks: NodeJS.Timeout | undefined

  constructor(containers: Containers, onIdle: () => void) {
    this.#onIdle = onIdle
    this.#containers = containers
    this.#idleTimer = setTimeout(onIdle, LINGER_MS)
    this.#context = {
      containers,
      onDone: (id) => this.take(id, containers.health.duty(id)),
      onFailure: (id, error) =>
        log.warn(`the supervisor cannot see to container "${shortId(id)}"`, { reason: String(error) }),
    }
  }

  /** What there is to do for a container. Safe to repeat. */
  take(id: string, duty: Duty | undefined): void {
    const current = this.#running.get(id)
    if (current !== undefined && duty !== undefined && current.is(duty)) return
    this.hold(id, duty && this.#begin(duty))
  }

  /** What is being done, in place of what was under this name; undefined: nothing any more. */
  hold(id: string, duty: RunningDuty | undefined): void {
    this.#running.get(id)?.[Symbol.dispose]()
    this.#running.delete(id)
    if (duty !== undefined) this.#running.set(id, duty)
    this.#lookOrNot()
    clearTimeout(this.#idleTimer)
    if (this.#running.size === 0) this.#idleTimer = setTimeout(this.#onIdle, LINGER_MS)
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#idleTimer)
    clearInterval(this.#looks)
    for (const duty of this.#running.values()) duty[Symbol.dispose]()
  }

  #begin(duty: Duty): RunningDuty {
    if (duty.kind === "look") return new LookDuty(duty)
    return duty.kind === "check" ? new CheckDuty(this.#context, duty) : new RestartDuty(this.#context, duty)
  }

  /** Nobody is woken for a look that nobody asked for. */
  #lookOrNot(): void {
    const isWanted = [...this.#running.values()].some((duty) => duty instanceof LookDuty)
    if (!isWanted) this.#looks = void clearInterval(this.#looks)
    else this.#looks ??= setInterval(() => void this.#look(), LOOK_EVERY_MS)
  }

  async #look(): Promise<void> {
    try {
      await this.#containers.health.look()
    } catch (error) {
      log.warn("the supervisor cannot look at containers", { reason: String(error) })
    }
    // sampling may have been ended: nothing tells of that
    for (const [id, duty] of this.#running)
      if (duty instanceof LookDuty) this.take(id, this.#containers.health.duty(id))
  }
}
