import { mkdirSync, readFileSync, rmSync } from "node:fs"
import { FailedPrecondition, isSkiffError } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import type { Prober, ProbeResult } from "../../runtime/runtime.ts"
import type { OciConfig } from "../../spec/oci-runtime.ts"
import type { ContainerDeps } from "../deps.ts"
import { containerEvent } from "../events.ts"
import { isRunning } from "../observe.ts"
import { runDirectory } from "../paths.ts"
import type { ContainerRecord } from "../record.ts"
import type { CheckOutcome, HealthMonitor, HealthResult } from "./health.ts"
import { actOnFailure } from "./act.ts"
import { readHealth, writeHealth } from "./log-file.ts"
import { healthPlan, type HealthPlan } from "./plan.ts"
import { afterCheck, duePlan, intervalMs, isStartupHopeless, type HealthState } from "./state.ts"

/** Checks that come closer than this keep a shell in the container: docs/design/021-health-checks.md. */
const RESIDENT_BELOW_MS = 10_000

/** `healthcheck run`: one check, now. Throws FailedPrecondition when the container has none, or does not run. */
export async function checkOnce(deps: ContainerDeps, nameOrId: string, abort?: AbortSignal): Promise<CheckOutcome> {
  const record = deps.records.get(nameOrId)
  if (healthPlan(record.spec) === undefined)
    throw new FailedPrecondition(`container "${record.name}" has no defined healthcheck`)
  using monitor = openMonitor(deps, record.id, { once: true })
  const outcome = await monitor.check(abort)
  if (outcome === undefined)
    throw new FailedPrecondition(`container "${record.name}" is not running`, {
      hint: { do: "start", container: record.name },
    })
  return outcome
}

/** See `HealthMonitor`. The container has a check. */
export function openMonitor(deps: ContainerDeps, id: string, { once = false }: { once?: boolean } = {}): HealthMonitor {
  return new ContainerMonitor(deps, id, once)
}

class ContainerMonitor implements HealthMonitor {
  readonly #deps: ContainerDeps
  readonly #id: string
  readonly #once: boolean
  #prober: { prober: Prober; of: string } | undefined
  #isDisposed = false

  constructor(deps: ContainerDeps, id: string, once: boolean) {
    this.#deps = deps
    this.#id = id
    this.#once = once
  }

  delayMs(): number {
    const record = this.#deps.records.byId(this.#id)
    const plan = record && healthPlan(record.spec)
    if (record === undefined || plan === undefined) return 0
    const state = readHealth(this.#deps, record, plan)
    const since = state.log.at(-1)?.end ?? state.startedAt
    // an overdue one is not run at once: a supervisor that begins finds all of them overdue
    const interval = intervalMs(state, plan, Date.now())
    return Math.min(interval, Math.max(0, since + interval - Date.now()))
  }

  async check(signal?: AbortSignal): Promise<CheckOutcome | undefined> {
    const found = this.#look()
    if (found === undefined) return undefined
    const { record, plan, state } = found
    const due = duePlan(state, plan)
    const start = Date.now()
    let { timeoutMs } = due
    let probe = await this.#probe(record, { plan, ...due, isStartup: !state.isStartedUp, signal })
    if (this.#isDisposed) return undefined
    const isOfReadiness = plan.readiness !== undefined && state.isStartedUp && probe.exitCode === 0
    if (isOfReadiness && plan.readiness !== undefined) {
      ;({ timeoutMs } = plan.readiness)
      probe = await this.#probe(record, { plan, ...plan.readiness, isStartup: false, signal })
      if (this.#isDisposed) return undefined
    }
    const result = { start, end: Date.now(), ...resultOf(probe, timeoutMs) }
    // what failed because its container has ended says nothing
    const now = this.#look()
    if (now === undefined || now.state.startedAt !== state.startedAt) return undefined
    await this.#deps.records.whenFree(signal)
    return this.#record(now, result, isOfReadiness)
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true
    this.#prober?.prober[Symbol.dispose]()
    this.#prober = undefined
    rmSync(this.#directory, { recursive: true, force: true })
  }

  get #directory(): string {
    return `${runDirectory(this.#deps, this.#id)}/health${this.#once ? `-${process.pid}` : ""}`
  }

  /** Read anew each time: another process may have checked, restarted or updated the container meanwhile. */
  #look(): { record: ContainerRecord; plan: HealthPlan; state: HealthState } | undefined {
    const record = this.#deps.records.byId(this.#id)
    const plan = record && healthPlan(record.spec)
    if (record === undefined || plan === undefined || record.status !== "running" || !isRunning(record, this.#deps))
      return undefined
    return { record, plan, state: readHealth(this.#deps, record, plan) }
  }

  async #probe(
    record: ContainerRecord,
    check: Pick<HealthPlan, "program" | "request" | "timeoutMs"> & {
      plan: HealthPlan
      isStartup: boolean
      signal?: AbortSignal
    },
  ): Promise<ProbeResult> {
    const { request, timeoutMs } = check
    const { sandbox } = record.spec.options
    if (request !== undefined && sandbox !== undefined && this.#deps.ask !== undefined) {
      const { isOk, output } = await this.#deps.ask(sandbox, request, timeoutMs)
      return { exitCode: isOk ? 0 : 1, output, timedOut: false }
    }
    try {
      const prober = await this.#proberFor(record, check)
      return await prober.run({ timeoutMs: check.timeoutMs, signal: check.signal })
    } catch (error) {
      if (isSkiffError(error, "Cancelled")) throw error
      return { exitCode: -1, output: error instanceof Error ? error.message : String(error), timedOut: false }
    }
  }

  async #proberFor(
    record: ContainerRecord,
    { plan, program, isStartup }: Pick<HealthPlan, "program"> & { plan: HealthPlan; isStartup: boolean },
  ): Promise<Prober> {
    const interval = isStartup ? (plan.startup?.intervalMs ?? plan.intervalMs) : plan.intervalMs
    const resident = !this.#once && interval < RESIDENT_BELOW_MS
    // an update may have made it another check
    const of = JSON.stringify([program, plan.log.maxBytes, resident])
    if (this.#prober?.of === of) return this.#prober.prober
    this.#prober?.prober[Symbol.dispose]()
    const runtimes = await this.#deps.runtimes()
    const runtime = await runtimes.choose(record.spec.runtime)
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
    const config = JSON.parse(readFileSync(runtimes.bundle(record.id).config, "utf8")) as OciConfig
    const prober = await runtimes.openProber({
      id: record.id,
      runtime,
      program,
      process: (argv) => runtimes.execProcess(config, { argv, env: [], tty: false, privileged: false }),
      directory: this.#directory,
      maxOutputBytes: plan.log.maxBytes,
      resident,
    })
    this.#prober = { prober, of }
    return prober
  }

  async #record(
    { record, plan, state }: { record: ContainerRecord; plan: HealthPlan; state: HealthState },
    result: HealthResult,
    isOfReadiness: boolean,
  ): Promise<CheckOutcome> {
    const after = afterCheck(state, result, plan, isOfReadiness)
    const { status, startedAt, isStartedUp } = after
    writeHealth(this.#deps, record.id, after, plan)
    const isChanged = status !== state.status
    const changed = isChanged ? [containerEvent(record, `health_status: ${status}`)] : []
    const told = plan.log.events
      ? [containerEvent(record, "health_check", { exitCode: `${result.exitCode}`, output: result.output })]
      : []
    if (isChanged || isStartedUp !== state.isStartedUp)
      this.#deps.records.saveHealth(record.id, { status, startedAt, isStartedUp }, [...told, ...changed])
    else if (told.length > 0) this.#deps.records.tell(...told)
    const isHopeless = isStartupHopeless(after, plan)
    // one that is alive and not ready is left alone
    if (isHopeless || (status === "unhealthy" && !isOfReadiness && after.failingStreak >= plan.retries))
      await actOnFailure(this.#deps, record, isHopeless ? "restart" : plan.onFailure).catch((error: unknown) => {
        log.warn(`cannot act on the health of container "${record.name}"`, { reason: String(error) })
      })
    return { succeeded: result.exitCode === 0, status, failingStreak: after.failingStreak }
  }
}

/** Docker's words. */
function resultOf({ exitCode, output, timedOut }: ProbeResult, timeoutMs: number): Omit<HealthResult, "start" | "end"> {
  if (!timedOut) return { exitCode, output }
  return { exitCode: -1, output: `Health check exceeded timeout (${timeoutMs / 1000}s)${output && `: ${output}`}` }
}
