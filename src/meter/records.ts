import type { Database } from "../base/database.ts"
import type { MeteredRun, MeterSample } from "./meter.ts"

/** Longer than a year, so that two can be compared; docs/metering.md says so. */
const KEPT_DAYS = 400
const DAY_MS = 24 * 60 * 60 * 1000
/** How often a new run looks for what is too old. */
const PRUNE_EVERY = 256
/** The samples of one hour are one slice. */
const SLICE_MS = 60 * 60 * 1000

/** The counters of both tables. */
const COUNTERS = ["cpu_ns", "read_bytes", "written_bytes", "received_bytes", "sent_bytes"] as const

/** What is added up, of a run or of a slice. */
export type Counted = Record<(typeof COUNTERS)[number], number>

/** A run, and what was counted at its last sample. */
export interface RunRow extends Counted {
  id: number
  container_id: string
  started_at: number
  name: string
  image: string
  labels: string
  uid: number
  sampled_at: number
  ended: number
  longest_gap_ms: number
  is_bound: number
  memory_bytes: number | null
}

/** A slice, with the run that it is of. */
export interface SliceRow extends Counted {
  run_id: number
  from_ms: number
  to_ms: number
  memory_byte_ms: number
}

/** The rows of runs and their slices. Each call belongs into a transaction. */
export class MeterRecords {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  find({ containerId, startedAt }: Pick<MeteredRun, "containerId" | "startedAt">): RunRow | undefined {
    return this.#db.get<RunRow & Record<string, unknown>>(
      "SELECT * FROM meter_runs WHERE container_id = ? AND started_at = ?",
      containerId,
      startedAt.getTime(),
    )
  }

  /** The run, made when this is its first sample. */
  open(run: MeteredRun): RunRow {
    const found = this.find(run)
    if (found) return found
    const { containerId, startedAt, name, image, labels, uid } = run
    const start = startedAt.getTime()
    this.#db.run(
      `INSERT INTO meter_runs (container_id, started_at, name, image, labels, uid, sampled_at, ended, longest_gap_ms, is_bound,
         cpu_ns, read_bytes, written_bytes, received_bytes, sent_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, 0, 0, 0)`,
      containerId,
      start,
      name,
      image,
      JSON.stringify(labels),
      uid,
      start,
    )
    const made = this.find(run)
    if (!made) throw new Error(`the run of container ${containerId} was not written`)
    if (made.id % PRUNE_EVERY === 0) this.#prune()
    return made
  }

  /** Adds what came since the sample before. */
  add(run: RunRow, sample: MeterSample, isEnd: boolean): void {
    const from = run.sampled_at
    // a clock may have been set back
    const to = Math.max(sample.at.getTime(), from)
    const counted = countedAt(run, sample)
    const delta = Object.fromEntries(COUNTERS.map((name) => [name, counted[name] - run[name]])) as Counted
    const memory = heldBetween(run, sample)
    this.#addSlice({ run_id: run.id, from_ms: from, to_ms: to, ...delta, memory_byte_ms: memory.bytes * (to - from) })
    this.#db.run(
      `UPDATE meter_runs SET sampled_at = ?, ended = ?, longest_gap_ms = max(longest_gap_ms, ?), is_bound = max(is_bound, ?),
         memory_bytes = ?, cpu_ns = ?, read_bytes = ?, written_bytes = ?, received_bytes = ?, sent_bytes = ? WHERE id = ?`,
      to,
      isEnd ? 1 : 0,
      to - from,
      memory.isBound ? 1 : 0,
      sample.memoryBytes ?? run.memory_bytes,
      ...COUNTERS.map((name) => counted[name]),
      run.id,
    )
  }

  runs(): Map<number, RunRow> {
    return new Map(
      this.#db
        .all<RunRow & Record<string, unknown>>("SELECT * FROM meter_runs ORDER BY started_at")
        .map((row) => [row.id, row]),
    )
  }

  /** Those that have a part in the time. */
  slices(since: number, until: number): SliceRow[] {
    return this.#db.all<SliceRow & Record<string, unknown>>(
      "SELECT * FROM meter_slices WHERE to_ms >= ? AND from_ms <= ?",
      since,
      until,
    )
  }

  #addSlice(slice: SliceRow): void {
    const last = this.#db.get<{ from_ms: number }>(
      "SELECT from_ms FROM meter_slices WHERE run_id = ? AND to_ms = ? ORDER BY from_ms DESC LIMIT 1",
      slice.run_id,
      slice.from_ms,
    )
    const isSameHour = last && Math.floor(last.from_ms / SLICE_MS) === Math.floor(slice.to_ms / SLICE_MS)
    const values = [slice.to_ms, slice.memory_byte_ms, ...COUNTERS.map((name) => slice[name]), slice.run_id]
    if (isSameHour)
      this.#db.run(
        `UPDATE meter_slices SET to_ms = ?, memory_byte_ms = memory_byte_ms + ?, cpu_ns = cpu_ns + ?, read_bytes = read_bytes + ?,
           written_bytes = written_bytes + ?, received_bytes = received_bytes + ?, sent_bytes = sent_bytes + ?
           WHERE run_id = ? AND from_ms = ?`,
        ...values,
        last.from_ms,
      )
    else
      this.#db.run(
        `INSERT OR REPLACE INTO meter_slices (to_ms, memory_byte_ms, cpu_ns, read_bytes, written_bytes, received_bytes, sent_bytes,
           run_id, from_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        ...values,
        slice.from_ms,
      )
  }

  #prune(): void {
    const oldest = Date.now() - KEPT_DAYS * DAY_MS
    this.#db.run("DELETE FROM meter_slices WHERE to_ms < ?", oldest)
    this.#db.run("DELETE FROM meter_runs WHERE sampled_at < ?", oldest)
  }
}

/** A counter never goes back: what is less, or unknown, is as it was. */
function countedAt(run: RunRow, sample: MeterSample): Counted {
  return {
    cpu_ns: Math.max(run.cpu_ns, sample.cpuNs ?? 0),
    read_bytes: Math.max(run.read_bytes, sample.readBytes ?? 0),
    written_bytes: Math.max(run.written_bytes, sample.writtenBytes ?? 0),
    received_bytes: Math.max(run.received_bytes, sample.receivedBytes ?? 0),
    sent_bytes: Math.max(run.sent_bytes, sample.sentBytes ?? 0),
  }
}

/** The mean of what was held since the sample before, as far as it is known. */
function heldBetween(
  { memory_bytes: before }: RunRow,
  { memoryBytes: after, memoryPeakBytes: peak }: MeterSample,
): { bytes: number; isBound: boolean } {
  if (before !== null) return { bytes: (before + (after ?? before)) / 2, isBound: false }
  if (after !== undefined) return { bytes: after, isBound: false }
  return { bytes: peak ?? 0, isBound: true }
}
