import type { Containers } from "../../../container/container.ts"
import { CONTAINER_NAME_LABEL, OWNED_LABEL } from "./labels.ts"
import type { UsageReader } from "../../controllers/autoscalers.ts"

const INTERVAL_MS = 2_500
/** So long after the last question nobody is there to ask the next. */
const UNWANTED_MS = 60_000

type Usage = Map<string, { cpuMilli: number; memoryBytes: number }>

/** Reads the kernel's counters of pods' containers for as long as somebody wants to know. */
export class PodUsage implements UsageReader {
  readonly #containers: Containers
  readonly #signal: AbortSignal
  #usage = new Map<string, Usage>()
  #wantedAt = 0
  #isReading = false

  constructor(containers: Containers, signal: AbortSignal) {
    this.#containers = containers
    this.#signal = signal
  }

  usageOf(podUid: string): Usage | undefined {
    return this.#usage.get(podUid)
  }

  want(): void {
    this.#wantedAt = Date.now()
    if (!this.#isReading && !this.#signal.aborted) void this.#read()
  }

  async #read(): Promise<void> {
    this.#isReading = true
    const stop = new AbortController()
    try {
      const rounds = this.#containers.stats({
        select: ({ options }) => options.labels[OWNED_LABEL] !== undefined,
        intervalMs: INTERVAL_MS,
        signal: AbortSignal.any([this.#signal, stop.signal]),
      })
      for await (const round of rounds) {
        const next = new Map<string, Usage>()
        for (const { container, usage } of round) {
          const { [OWNED_LABEL]: uid, [CONTAINER_NAME_LABEL]: name } = container.options.labels
          if (uid === undefined || name === undefined || usage === undefined) continue
          const one = { cpuMilli: usage.cpu.percent * 10, memoryBytes: usage.memory.usedBytes ?? 0 }
          next.set(uid, (next.get(uid) ?? new Map()).set(name, one))
        }
        this.#usage = next
        if (Date.now() - this.#wantedAt > UNWANTED_MS) break
      }
    } catch {
      // asked for again by who wants it
    } finally {
      stop.abort()
      this.#isReading = false
    }
  }
}
