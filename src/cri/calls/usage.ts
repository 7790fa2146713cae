/** What containers use now: read from the kernel, and what is slow to count once in a while. */
import type { ContainerUsage } from "../../container/container.ts"
import type { CriContext, FoundContainer } from "../context.ts"

/** One reading of one container. */
export interface Reading {
  found: FoundContainer
  time: Date
  usage?: ContainerUsage
  /** Of one core, in a billionth; undefined before there are two readings. */
  nanoCores?: number
  writableBytes: number
}

/** Files are counted anew after that. */
const SIZE_AGE_MS = 15_000
/** Two readings that far apart tell a share of the CPU. */
const LEAST_WINDOW_MS = 500

interface Counted {
  time: number
  cpuNs: number
  nanoCores?: number
}

/** Keeps of each container the reading before: a server that is new has none, and says so. */
export class Usages {
  readonly #context: CriContext
  readonly #before = new Map<string, Counted>()
  readonly #sizes = new Map<string, { at: number; bytes: Promise<number> }>()

  constructor(context: CriContext) {
    this.#context = context
  }

  /** In the order given; what has gone meanwhile is left out. */
  async read(found: readonly FoundContainer[]): Promise<Reading[]> {
    const containers = await this.#context.engine.containers()
    const ids = found.map(({ container }) => container.id)
    this.#forget()
    if (ids.length === 0) return []
    const usages = new Map<string, { time: Date; usage?: ContainerUsage }>()
    for await (const round of containers.stats({ names: ids, intervalMs: 1 })) {
      for (const { container, time, usage } of round) usages.set(container.id, { time, usage })
      break
    }
    return Promise.all(
      found.flatMap((one) => {
        const reading = usages.get(one.container.id)
        return reading === undefined ? [] : [this.#complete(one, reading)]
      }),
    )
  }

  async #complete(found: FoundContainer, { time, usage }: { time: Date; usage?: ContainerUsage }): Promise<Reading> {
    const { id } = found.container
    const nanoCores = this.#share(id, time, usage?.cpu.usedNs)
    return { found, time, usage, nanoCores, writableBytes: await this.#size(id) }
  }

  #share(id: string, time: Date, cpuNs: number | undefined): number | undefined {
    if (cpuNs === undefined) return undefined
    const before = this.#before.get(id)
    const ms = before === undefined ? 0 : time.getTime() - before.time
    if (before !== undefined && ms < LEAST_WINDOW_MS) return before.nanoCores
    const nanoCores = before && Math.max(0, Math.round(((cpuNs - before.cpuNs) / ms) * 1000))
    this.#before.set(id, { time: time.getTime(), cpuNs, nanoCores })
    return nanoCores
  }

  async #size(id: string): Promise<number> {
    const known = this.#sizes.get(id)
    if (known !== undefined && Date.now() - known.at < SIZE_AGE_MS) return known.bytes
    const bytes = this.#context.engine
      .containers()
      .then((containers) => containers.size(id))
      .then(({ writableBytes }) => writableBytes)
      .catch(() => 0)
    this.#sizes.set(id, { at: Date.now(), bytes })
    // who has asked before is told the old number while the new one is counted
    return known === undefined ? bytes : known.bytes
  }

  /** Of containers that nobody has asked for lately. */
  #forget(): void {
    const old = Date.now() - 20 * SIZE_AGE_MS
    for (const [id, { at }] of this.#sizes)
      if (at < old) {
        this.#sizes.delete(id)
        this.#before.delete(id)
      }
  }
}
