import type { ProgressEvent } from "../../base/progress.ts"
import type { BuildEvent } from "../../build/build.ts"
import { LogLines, type LogLine } from "./log-lines.ts"

/** A vertex as a front end shows it. */
export interface Step {
  name: string
  state: "waiting" | "running" | "done" | "cached" | "failed" | "canceled"
  startedAt: number | undefined
  endedAt: number | undefined
  log: LogLines
  /** The last event of each id, in the order they came. */
  progress: Map<string, ProgressEvent>
  error: string | undefined
}

type StepEvent = Extract<BuildEvent, { vertex: number }>

/** All steps of one build, as its events tell. */
export class Steps {
  readonly #steps = new Map<number, Step>()
  readonly #onLine: ((step: Step, line: LogLine) => void) | undefined
  /** When the first step began. */
  startedAt: number | undefined

  constructor(onLine?: (step: Step, line: LogLine) => void) {
    this.#onLine = onLine
  }

  /** In the order of the plan. */
  get all(): readonly Step[] {
    return [...this.#steps.entries()].toSorted(([a], [b]) => a - b).map(([, step]) => step)
  }

  /** The step whose failure ended the build. */
  get failed(): Step | undefined {
    return this.all.find(({ state }) => state === "failed")
  }

  /** Takes up one event; gives its step. */
  apply(event: StepEvent): Step {
    const step = this.#step(event)
    switch (event.kind) {
      case "started":
        this.startedAt ??= event.at
        step.startedAt ??= event.at
        step.endedAt = undefined
        step.state = "running"
        break
      case "cached":
        this.startedAt ??= event.at
        end(step, "cached", event.at)
        break
      case "done":
        // a step that was found in the cache may be told to be done as well
        end(step, step.state === "cached" ? "cached" : "done", event.at)
        break
      case "canceled":
        end(step, "canceled", event.at)
        break
      case "failed":
        end(step, "failed", event.at)
        step.error = event.error
        break
      case "log":
        step.log.write(event.stream, event.bytes)
        break
      case "progress":
        step.progress.set(event.id, event)
        break
    }
    return step
  }

  #step({ vertex, ...event }: StepEvent): Step {
    const known = this.#steps.get(vertex)
    const name = event.kind === "vertex" ? event.name : undefined
    if (known) {
      known.name = name ?? known.name
      return known
    }
    const step: Step = {
      name: name ?? `step ${vertex}`,
      state: "waiting",
      startedAt: undefined,
      endedAt: undefined,
      log: new LogLines((line) => this.#onLine?.(step, line)),
      progress: new Map(),
      error: undefined,
    }
    this.#steps.set(vertex, step)
    return step
  }
}

function end(step: Step, state: Step["state"], at: number): void {
  step.startedAt ??= at
  step.endedAt = at
  step.state = state
  step.log.end()
}

/** Whether nothing more comes of the step. */
export function hasEnded({ state }: Step): boolean {
  return state !== "waiting" && state !== "running"
}
