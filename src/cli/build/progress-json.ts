import { stageWords } from "../output/stage-words.ts"
import type { BuildEvent } from "../../build/build.ts"
import type { BuildProgress } from "./build-progress.ts"
import { Steps, type Step } from "./steps.ts"

type LogEvent = Extract<BuildEvent, { kind: "log" }>
type VertexEvent = Extract<BuildEvent, { vertex: number }>
type WarningEvent = Exclude<BuildEvent, VertexEvent>

/** One document a line, for programs. */
abstract class JsonLines implements BuildProgress {
  readonly isForPeople = false
  readonly #steps = new Steps()
  readonly #write: (text: string) => void

  constructor(write: (text: string) => void) {
    this.#write = write
  }

  get failed(): Step | undefined {
    return this.#steps.failed
  }

  onEvent(event: BuildEvent): void {
    const document = "vertex" in event ? this.ofVertex(event, this.#steps.apply(event)) : this.ofWarning(event)
    if (document) this.#write(`${JSON.stringify(document)}\n`)
  }

  [Symbol.dispose](): void {}

  /** Undefined: nothing is said. */
  protected abstract ofVertex(event: VertexEvent, step: Step): object | undefined
  protected abstract ofWarning(event: WarningEvent): object
}

/** `--progress json`: each event as one line; output as text. */
export class JsonProgress extends JsonLines {
  readonly #decoders = new Map<string, TextDecoder>()

  protected ofVertex(event: VertexEvent): object {
    return event.kind === "log" ? this.#readable(event) : event
  }

  protected ofWarning(event: WarningEvent): object {
    return event
  }

  /** A character may come in two pieces. */
  #readable({ bytes, ...event }: LogEvent): object {
    const key = `${event.vertex} ${event.stream}`
    const decoder = this.#decoders.get(key) ?? new TextDecoder()
    this.#decoders.set(key, decoder)
    return { ...event, text: decoder.decode(bytes, { stream: true }) }
  }
}

/** `--progress rawjson`: BuildKit's SolveStatus documents (buildkit client/graph.go), one a line, for programs that read those. */
export class RawJsonProgress extends JsonLines {
  protected ofVertex(event: VertexEvent, step: Step): object | undefined {
    const vertex = vertexDigest(event.vertex)
    const timestamp = moment(Date.now())
    switch (event.kind) {
      case "log":
        return { logs: [{ vertex, stream: event.stream === "stdout" ? 1 : 2, data: base64(event.bytes), timestamp }] }
      case "progress": {
        const { id, current = 0, total } = event
        const name = stageWords(event)
        return { statuses: [{ id, vertex, name, current, ...(total === undefined ? {} : { total }), timestamp }] }
      }
      case "miss":
        return undefined
      default:
        return { vertexes: [{ digest: vertex, ...vertexState(step) }] }
    }
  }

  protected ofWarning({ rule, message, source }: WarningEvent): object {
    const range = source === undefined ? [] : [{ start: { line: source.start }, end: { line: source.end } }]
    return { warnings: [{ level: 1, short: base64(Buffer.from(`${rule}: ${message}`)), range }] }
  }
}

function vertexState({ name, state, startedAt, endedAt, error }: Step): object {
  return {
    name,
    ...(startedAt === undefined ? {} : { started: moment(startedAt) }),
    ...(endedAt === undefined ? {} : { completed: moment(endedAt) }),
    ...(state === "cached" ? { cached: true } : {}),
    ...(state === "canceled" ? { error: "context canceled" } : {}),
    ...(error === undefined ? {} : { error }),
  }
}

/** Clients only compare them: a name in a digest's form. */
function vertexDigest(vertex: number): string {
  return `sha256:${vertex.toString(16).padStart(64, "0")}`
}

function moment(ms: number): string {
  return new Date(ms).toISOString()
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64")
}
