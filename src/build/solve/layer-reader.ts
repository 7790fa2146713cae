import { createHash } from "node:crypto"
import { setImmediate as turn } from "node:timers/promises"
import { crashPoint } from "../../base/crash-point.ts"
import { Cancelled } from "../../base/errors.ts"
import type { Snapshotter } from "../../snapshot/snapshot.ts"
import { parseDigest, type DiffId } from "../../spec/digest.ts"
import type { BuildRecords, LayerFacts } from "./records.ts"

/**
 * Finds diff ids and sizes of steps' layers, one layer after the other, while the steps that stand on them already run.
 * What it found is in the records: a layer is read once in its life, unless it is pushed or saved.
 */
export class LayerReader {
  readonly #records: BuildRecords
  readonly #snapshots: Snapshotter
  readonly #signal: AbortSignal
  readonly #reading = new Map<string, Promise<LayerFacts>>()
  #last: Promise<unknown> = Promise.resolve()

  constructor(records: BuildRecords, snapshots: Snapshotter, signal: AbortSignal) {
    this.#records = records
    this.#snapshots = snapshots
    this.#signal = signal
  }

  /** Begins, if nobody has; `facts` gives the result, or the failure. */
  start(id: string): void {
    this.facts(id).catch(() => {})
  }

  facts(id: string): Promise<LayerFacts> {
    let reading = this.#reading.get(id)
    if (reading === undefined) {
      reading = this.#last.then(() => this.#read(id))
      this.#last = reading.catch(() => {})
      this.#reading.set(id, reading)
    }
    return reading
  }

  /** Waits until nothing is read any more. */
  async settle(): Promise<void> {
    await this.#last
  }

  async #read(id: string): Promise<LayerFacts> {
    const record = this.#records.get(id)
    if (record.facts) return record.facts
    const hash = createHash("sha256")
    const layer = this.#snapshots.diff(record.snapshot)
    let tarBytes = 0
    for await (const chunk of layer) {
      hash.update(chunk)
      tarBytes += chunk.length
      // a megabyte is read and hashed in a millisecond; then it is the turn of the programs that run
      await turn()
      if (this.#signal.aborted) throw new Cancelled("the build was cancelled")
    }
    const diffId = parseDigest(`sha256:${hash.digest("hex")}`) as DiffId
    const facts = { diffId, tarBytes, contentBytes: layer.contentBytes }
    this.#records.setFacts(id, facts)
    crashPoint("build:layer-read")
    return facts
  }
}
