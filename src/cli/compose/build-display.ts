import type { BuildEvent } from "../../build/build.ts"
import type { BuildProgress } from "../build/build-progress.ts"
import { openProgress, PROGRESS_MODES, type ProgressMode } from "../build/progress.ts"
import { failureLines } from "../build/summary.ts"
import { writeAll } from "../out.ts"
import type { ProjectFlags } from "./project-flags.ts"

const STANDARD_ERROR = 2

/** Shows the steps of several builds as those of one: each step's name begins with its service's, as bake has it. */
export class BuildDisplay implements Disposable {
  readonly #progress: BuildProgress
  readonly #numbers = new Map<string, number>()

  constructor(mode: ProgressMode) {
    this.#progress = openProgress(mode, STANDARD_ERROR)
  }

  readonly onBuildEvent = (service: string, event: BuildEvent): void => {
    if (!("vertex" in event)) return this.#progress.onEvent(event)
    const vertex = this.#numberOf(`${service} ${event.vertex}`)
    const name = event.kind === "vertex" ? { name: withService(service, event.name) } : {}
    this.#progress.onEvent({ ...event, ...name, vertex } as BuildEvent)
  }

  /** The output of the step that failed, once more and in full. Call it when the builds are over. */
  explainFailure(): void {
    this[Symbol.dispose]()
    const { failed } = this.#progress
    if (failed)
      writeAll(
        STANDARD_ERROR,
        failureLines(failed)
          .map((line) => `${line}\n`)
          .join(""),
      )
  }

  [Symbol.dispose](): void {
    this.#progress[Symbol.dispose]()
  }

  #numberOf(key: string): number {
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    this.#numbers.set(key, this.#numbers.size)
    return this.#numbers.size - 1
  }
}

/** `[internal] load …` → `[web internal] load …`. */
function withService(service: string, name: string): string {
  return name.startsWith("[") ? `[${service} ${name.slice(1)}` : `[${service}] ${name}`
}

/** `--quiet`, then `--progress`, then BUILDKIT_PROGRESS. */
export function buildMode(quiet: boolean, { progress }: Pick<ProjectFlags, "progress">): ProgressMode {
  if (quiet) return "quiet"
  return progress ?? PROGRESS_MODES.find((mode) => mode === process.env.BUILDKIT_PROGRESS) ?? "auto"
}
