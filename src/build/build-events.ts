import type { ProgressEvent } from "../base/progress.ts"
import type { BuildEvent, BuildWarning, OnBuildEvent } from "./build.ts"
import type { Vertex } from "./plan/definition.ts"
import type { VertexEvents } from "./solve/solver.ts"

/** Tells a front end of the vertices of one build, each by its number in the order of the plans. */
export class BuildEvents implements VertexEvents {
  readonly #onEvent: OnBuildEvent
  readonly #signal: AbortSignal
  readonly #numbers = new Map<Vertex, number>()

  constructor(onEvent: OnBuildEvent, signal: AbortSignal) {
    this.#onEvent = onEvent
    this.#signal = signal
  }

  announce(vertices: readonly Vertex[]): void {
    for (const vertex of vertices) {
      if (vertex.operation.kind === "scratch" || this.#numbers.has(vertex)) continue
      const number = this.#numbers.size
      this.#numbers.set(vertex, number)
      const { name, source } = vertex
      this.#onEvent({ kind: "vertex", vertex: number, name, ...(source ? { source } : {}) })
    }
  }

  /** A vertex of our own beside those of the plan: reading the context, exporting. */
  async step<T>(name: string, body: (vertex: number) => Promise<T>): Promise<T> {
    const number = this.#numbers.size
    this.#numbers.set({ name } as Vertex, number)
    this.#onEvent({ kind: "vertex", vertex: number, name })
    this.#onEvent({ kind: "started", vertex: number, at: Date.now() })
    try {
      const result = await body(number)
      this.#onEvent({ kind: "done", vertex: number, at: Date.now() })
      return result
    } catch (error) {
      this.#onEvent({ kind: "failed", vertex: number, at: Date.now(), error: textOf(error) })
      throw error
    }
  }

  /** For a build inside of this one: what it does is told among what this one does. */
  inner(prefix: string): OnBuildEvent {
    const numbers = new Map<number, number>()
    return (event) => {
      if (event.kind === "vertex") {
        const number = this.#numbers.size
        const name = `${prefix}${event.name}`
        this.#numbers.set({ name } as Vertex, number)
        numbers.set(event.vertex, number)
        this.#onEvent({ ...event, name, vertex: number })
      } else if ("vertex" in event && event.kind !== "miss") {
        const number = numbers.get(event.vertex)
        if (number !== undefined) this.#onEvent({ ...event, vertex: number })
      }
    }
  }

  warn({ rule, message, source }: Pick<BuildWarning, "rule" | "message"> & Partial<BuildWarning>): void {
    this.#onEvent({ kind: "warning", rule, message, ...(source ? { source } : {}) })
  }

  started(vertex: Vertex): void {
    this.#tell(vertex, (number) => ({ kind: "started", vertex: number, at: Date.now() }))
  }

  cached(vertex: Vertex, from?: string): void {
    const origin = from === undefined ? {} : { from }
    this.#tell(vertex, (number) => ({ kind: "cached", vertex: number, at: Date.now(), ...origin }))
  }

  done(vertex: Vertex): void {
    this.#tell(vertex, (number) => ({ kind: "done", vertex: number, at: Date.now() }))
  }

  failed(vertex: Vertex, error: unknown): void {
    this.#tell(vertex, (number) =>
      this.#signal.aborted
        ? { kind: "canceled", vertex: number, at: Date.now() }
        : { kind: "failed", vertex: number, at: Date.now(), error: textOf(error) },
    )
  }

  miss(vertex: Vertex, reason: string): void {
    this.#tell(vertex, (number) => ({ kind: "miss", vertex: number, reason }))
  }

  context(vertex: Vertex) {
    const number = this.#numbers.get(vertex) ?? 0
    return this.contextOf(number)
  }

  contextOf(number: number) {
    return {
      signal: this.#signal,
      onLog: (stream: "stdout" | "stderr", bytes: Uint8Array) =>
        this.#onEvent({ kind: "log", vertex: number, stream, bytes }),
      onProgress: (event: ProgressEvent) => this.#onEvent({ ...event, kind: "progress", vertex: number }),
    }
  }

  #tell(vertex: Vertex, make: (number: number) => BuildEvent): void {
    const number = this.#numbers.get(vertex)
    if (number !== undefined) this.#onEvent(make(number))
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
