import { shortId } from "../../base/short-id.ts"
import type { BuildEvent } from "../../build/build.ts"
import type { BuildProgress } from "./build-progress.ts"
import { safeLine } from "./log-lines.ts"
import { hasEnded, Steps, type Step } from "./steps.ts"

/** Lines of a step that may wait until the one that speaks has ended. */
const MOST_WAITING = 200

/** `[stage-0 2/4] RUN make`, as the plan names the steps of a Dockerfile. */
const NAMED = /^\[(?:(?<stage>\S+) )?(?<number>\d+)\/(?<count>\d+)\] (?<text>.*)$/s

/**
 * `STEP 2/4: RUN make`, what it writes, `--> Using cache`, `COMMIT name`, `--> id`: Buildah's lines, which Podman's scripts look at.
 * Steps that run at the same time are told one after the other.
 */
export class BuildahProgress implements BuildProgress {
  readonly isForPeople = false
  readonly #write: (text: string) => void
  readonly #isTerminal: boolean
  readonly #tag: string
  readonly #steps = new Steps((step, { text }) => this.#queue(step, this.#isTerminal ? safeLine(text) : text))
  readonly #waiting = new Map<Step, string[]>()
  /** In the order of the file. */
  readonly #stages = new Set<string>()
  #speaker: Step | undefined

  /** `tag`: what is committed, as it was typed. */
  constructor(write: (text: string) => void, isTerminal: boolean, tag = "") {
    this.#write = write
    this.#isTerminal = isTerminal
    this.#tag = tag.replace(/^localhost\//, "")
  }

  get failed(): Step | undefined {
    return this.#steps.failed
  }

  onEvent(event: BuildEvent): void {
    if (!("vertex" in event)) return
    const step = this.#steps.apply(event)
    switch (event.kind) {
      case "vertex":
        this.#stages.add(NAMED.exec(step.name)?.groups?.stage ?? "")
        return
      case "started":
        this.#queue(step)
        break
      case "cached":
        this.#queue(step, ...(/\] FROM /i.test(step.name) ? [] : ["--> Using cache"]))
        break
      case "progress":
        if (event.stage === "writing-image")
          this.#queue(
            step,
            `COMMIT ${this.#tag}`.trimEnd(),
            `--> ${shortId((event.subject ?? "").replace("sha256:", ""))}`,
          )
        if (event.stage === "naming") this.#queue(step, `Successfully tagged ${withTag(event.subject ?? "")}`)
        break
      default:
    }
    this.#turns()
  }

  [Symbol.dispose](): void {
    for (const step of this.#waiting.keys()) this.#speak(step)
  }

  #queue(step: Step, ...lines: string[]): void {
    const waiting = this.#waiting.get(step)
    if (waiting === undefined) this.#waiting.set(step, lines)
    else waiting.push(...lines)
  }

  #turns(): void {
    const speaker = this.#speaker
    if (speaker !== undefined && this.#waiting.has(speaker)) this.#speak(speaker)
    for (const [step, lines] of this.#waiting)
      if (this.#speaker === undefined || hasEnded(this.#speaker) || lines.length > MOST_WAITING) this.#speak(step)
  }

  #speak(step: Step): void {
    const lines = this.#waiting.get(step) ?? []
    this.#waiting.delete(step)
    const title = step === this.#speaker ? undefined : this.#title(step)
    this.#speaker = step
    const text = [...(title === undefined ? [] : [title]), ...lines]
    if (text.length > 0) this.#write(`${text.join("\n")}\n`)
  }

  /** Undefined for what is no step of the file. */
  #title({ name }: Step): string | undefined {
    const { stage = "", number, count, text = "" } = NAMED.exec(name)?.groups ?? {}
    if (number === undefined) return undefined
    const stages = [...this.#stages].filter((one, _, all) => one !== "" || all.length === 1)
    const place = stages.length > 1 ? `[${stages.indexOf(stage) + 1}/${stages.length}] ` : ""
    // the base image as it was written, without what it was resolved to
    const shown = safeLine(text).replace(/^(FROM \S+)@sha256:[0-9a-f]{64}/, "$1")
    return `${place}STEP ${number}/${count}: ${shown}`
  }
}

/** Podman's names have a tag always. */
function withTag(name: string): string {
  return /[:@][^/]*$/.test(name) ? name : `${name}:latest`
}
