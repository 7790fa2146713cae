/** What is done at the ends of a container's run (kubernetes.io, "Container Lifecycle Hooks"). */
import { setTimeout as sleep } from "node:timers/promises"
import { log } from "../base/log.ts"
import { processStartTime, signalProcess } from "../sys/process/process.ts"
import type { ContainerDeps } from "./deps.ts"
import type { LifecycleHook } from "./lifecycle-hook.ts"
import type { ContainerRecord } from "./record.ts"

/** A container that waits for its hook for ever is a container that never starts. */
export const LONGEST_HOOK_MS = 10 * 60_000
const SIGKILL = 9

/** Within `limitMs`. What fails of it is told, and keeps nobody from the stop. */
export async function beforeStop(
  deps: ContainerDeps,
  { id, name, spec }: ContainerRecord,
  limitMs: number,
): Promise<void> {
  const hook = spec.options.lifecycle?.preStop
  if (hook === undefined || limitMs <= 0) return
  const failure = await failureOf(deps, { id, sandbox: spec.options.sandbox }, hook, Math.min(limitMs, LONGEST_HOOK_MS))
  if (failure !== undefined) log.warn(`the preStop hook of container "${name}" failed`, { reason: failure })
}

/** Why a hook failed. Undefined: it is done. */
export async function failureOf(
  deps: ContainerDeps,
  { id, sandbox }: { id: string; sandbox: string | undefined },
  hook: LifecycleHook,
  limitMs: number,
): Promise<string | undefined> {
  try {
    switch (hook.kind) {
      case "sleep":
        return void (await sleep(Math.min(limitMs, hook.seconds * 1000)))
      case "exec":
        return await runIn(deps, id, hook.command, limitMs)
      default: {
        if (sandbox === undefined || deps.ask === undefined) return "it is in no sandbox"
        const { isOk, output } = await deps.ask(sandbox, hook, limitMs)
        return isOk ? undefined : output
      }
    }
  } catch (error) {
    return (error as Error).message
  }
}

async function runIn(
  deps: ContainerDeps,
  id: string,
  command: readonly string[],
  limitMs: number,
): Promise<string | undefined> {
  const { runExec } = await import("./execs.ts")
  const session = await runExec(deps, id, { command }, { unrecorded: true })
  session.attachment?.onOutput(() => {})
  const { state } = session.exec
  const begun = state.status === "running" ? processStartTime(state.pid) : undefined
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    // it may have ended by itself, and its number be another's
    if (state.status === "running" && begun !== undefined) signalProcess(state.pid, begun, SIGKILL)
  }, limitMs)
  const code = await session.exited
  clearTimeout(timer)
  if (isLate) return `it has taken longer than ${limitMs / 1000} s`
  return code === 0 ? undefined : `command ${JSON.stringify(command).slice(0, 200)} exited with ${code}`
}
