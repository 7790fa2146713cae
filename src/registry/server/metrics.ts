/** What a server has done, in Prometheus' text format (exposition formats, version 0.0.4). */
import type { Exchange, Observer } from "./observer.ts"

/** Content type of the text. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

const BUCKETS_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60]
/** A client chooses its method freely: no client may make a series of its own. */
const METHODS = new Set(["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"])

interface Durations {
  counts: number[]
  sumSeconds: number
  count: number
}

/** What others add to the text. */
export type MoreMetrics = () => readonly { name: string; help: string; type: "counter" | "gauge"; value: number }[]

/** Counts requests; their series are bounded by methods, resources and status codes. */
export class Metrics implements Observer {
  readonly #requests = new Map<string, number>()
  readonly #durations = new Map<string, Durations>()
  readonly #startedSeconds = Date.now() / 1000
  readonly #more: MoreMetrics
  #inFlight = 0
  #receivedBytes = 0
  #sentBytes = 0

  constructor(more: MoreMetrics = () => []) {
    this.#more = more
  }

  began(): void {
    this.#inFlight++
  }

  received(bytes: number): void {
    this.#receivedBytes += bytes
  }

  ended({ request, route, answer, durationMs }: Exchange): void {
    this.#inFlight--
    const method = METHODS.has(request.method) ? request.method : "other"
    const labels = `method="${method}",resource="${route?.kind ?? "none"}"`
    const key = `${labels},code="${answer.status}"`
    this.#requests.set(key, (this.#requests.get(key) ?? 0) + 1)
    if (request.method !== "HEAD") this.#sentBytes += Number(answer.headers.get("Content-Length") ?? 0)
    const seconds = durationMs / 1000
    const durations = this.#durations.get(labels) ?? { counts: BUCKETS_SECONDS.map(() => 0), sumSeconds: 0, count: 0 }
    this.#durations.set(labels, durations)
    durations.count++
    durations.sumSeconds += seconds
    durations.counts = BUCKETS_SECONDS.map(
      (bound, index) => (durations.counts[index] ?? 0) + (seconds <= bound ? 1 : 0),
    )
  }

  /** The text, as it is now. */
  text(): string {
    return [
      ...family("skiff_registry_requests_total", "counter", "Requests that were answered.", [...this.#requests]),
      ...this.#durationLines(),
      ...single("skiff_registry_requests_in_flight", "gauge", "Requests that wait for their answer.", this.#inFlight),
      ...single("skiff_registry_received_bytes_total", "counter", "Bytes of uploads.", this.#receivedBytes),
      ...single("skiff_registry_sent_bytes_total", "counter", "Bytes of answers, as announced.", this.#sentBytes),
      ...single("process_resident_memory_bytes", "gauge", "Resident memory.", process.memoryUsage.rss()),
      ...single("process_start_time_seconds", "gauge", "When the server began.", this.#startedSeconds),
      ...this.#more().flatMap(({ name, type, help, value }) => single(name, type, help, value)),
      "",
    ].join("\n")
  }

  #durationLines(): string[] {
    const name = "skiff_registry_request_duration_seconds"
    const lines = [`# HELP ${name} Time until an answer began.`, `# TYPE ${name} histogram`]
    for (const [labels, { counts, sumSeconds, count }] of this.#durations) {
      for (const [index, bound] of BUCKETS_SECONDS.entries())
        lines.push(`${name}_bucket{${labels},le="${bound}"} ${counts[index]}`)
      lines.push(`${name}_bucket{${labels},le="+Inf"} ${count}`)
      lines.push(`${name}_sum{${labels}} ${sumSeconds}`, `${name}_count{${labels}} ${count}`)
    }
    return lines
  }
}

function family(name: string, type: string, help: string, series: readonly [string, number][]): string[] {
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...series.map(([key, value]) => `${name}{${key}} ${value}`),
  ]
}

function single(name: string, type: string, help: string, value: number): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, `${name} ${value}`]
}
