import { createHash } from "node:crypto"
import { setImmediate as turn } from "node:timers/promises"
import { crashPoint } from "../../base/crash-point.ts"
import { Cancelled } from "../../base/errors.ts"
import type { Snapshotter } from "../../snapshot/snapshot.ts"
import { parseDigest, type DiffId } from "../../spec/digest.ts"
import type { BuildRecords, LayerFacts } from "./records.ts"
import { locateSecrets, SecretScan, type FoundSecret, type StepSecret } from "./secret-scan.ts"

interface Watch {
  secrets: readonly StepSecret[]
  onFound: (found: FoundSecret[]) => void
}

/**
 * Finds diff ids and sizes of steps' layers, one layer after the other, while the steps that stand on them already run.
 * What it found is in the records: a layer is read once in its life, unless it is pushed or saved.
 */
export class LayerReader {
  readonly #records: BuildRecords
  readonly #snapshots: Snapshotter
  readonly #signal: AbortSignal
  readonly #reading = new Map<string, Promise<LayerFacts>>()
  readonly #failures = new Map<unknown, string>()
  readonly #watched = new Map<string, Watch>()
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
      reading.catch((error: unknown) => this.#failures.set(error, id))
      this.#last = reading.catch(() => {})
      this.#reading.set(id, reading)
    }
    return reading
  }

  /** Has the layer looked through for these secrets when it is read; what it holds of them is told. */
  watch(id: string, secrets: readonly StepSecret[], onFound: (found: FoundSecret[]) => void): void {
    this.#watched.set(id, { secrets, onFound })
  }

  /** The layer that could not be read, when this is why. */
  layerOf(error: unknown): string | undefined {
    return this.#failures.get(error)
  }

  /** Waits until nothing is read any more. */
  async finish(): Promise<void> {
    await this.#last
  }

  async #read(id: string): Promise<LayerFacts> {
    const record = this.#records.get(id)
    if (record.facts) return record.facts
    const hash = createHash("sha256")
    // another build may be giving the snapshot its final name
    const layer = this.#records.transaction(() => this.#snapshots.diff(this.#records.get(id).snapshot))
    const watch = this.#watched.get(id)
    const scan = watch && new SecretScan(watch.secrets)
    let tarBytes = 0
    for await (const chunk of layer) {
      hash.update(chunk)
      scan?.write(chunk)
      tarBytes += chunk.length
      // a megabyte is read and hashed in a millisecond; then it is the turn of the programs that run
      await turn()
      if (this.#signal.aborted) throw new Cancelled("the build was cancelled")
    }
    const diffId = parseDigest(`sha256:${hash.digest("hex")}`) as DiffId
    const facts = { diffId, tarBytes, contentBytes: layer.contentBytes }
    this.#records.setFacts(id, facts, this.#wasteOf(id, layer.hidden))
    crashPoint("build:layer-read")
    if (watch !== undefined && scan !== undefined && scan.found.size > 0) await this.#tellOfSecrets(id, scan, watch)
    return facts
  }

  async #tellOfSecrets(id: string, { found }: SecretScan, { secrets, onFound }: Watch): Promise<void> {
    const layer = this.#records.transaction(() => this.#snapshots.diff(this.#records.get(id).snapshot))
    const some = secrets.filter((secret) => found.has(secret.id))
    onFound(await locateSecrets(layer, some))
  }

  /** Finds out whose files a layer hides: of each, the nearest layer below that has it. */
  #wasteOf(id: string, hidden: ReadonlyMap<string, number>): Map<string, number> {
    const waste = new Map<string, number>()
    if (hidden.size === 0) return waste
    using fds = new DisposableStack()
    const below = this.#records.transaction(() =>
      this.#records
        .chain(id)
        .slice(0, -1)
        .map((record) => ({ id: record.id, files: fds.use(this.#snapshots.ownFiles(record.snapshot)) })),
    )
    for (const [path, bytes] of hidden) {
      const owner = below.findLast(({ files }) => files.has(path))
      if (owner) waste.set(owner.id, (waste.get(owner.id) ?? 0) + bytes)
    }
    return waste
  }
}
