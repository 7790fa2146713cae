import type { MeterGrouping, MeterLine } from "./meter.ts"
import type { RunRow, SliceRow } from "./records.ts"

const BYTES_PER_GB = 1e9

/** Slices added up to lines, each with the part of it that lies in the time; the heaviest user of the CPU first. Pure. */
export function reportLines(
  slices: readonly SliceRow[],
  runs: ReadonlyMap<number, RunRow>,
  { since, until, keyOf }: { since: number; until: number; keyOf(run: RunRow): string },
): MeterLine[] {
  const groups = new Map<string, Group>()
  for (const slice of slices) {
    const run = runs.get(slice.run_id)
    if (!run) continue
    const key = keyOf(run)
    const group = groups.get(key) ?? new Group(key)
    groups.set(key, group)
    group.add(run, slice, { since, until })
  }
  return [...groups.values()].map(({ line }) => line).toSorted((a, b) => b.cpuSeconds - a.cpuSeconds)
}

/** What a line of the report stands for. */
export function keyOfRun(grouping: MeterGrouping, accountName: (uid: number) => string | undefined) {
  const names = new Map<number, string>()
  return (run: RunRow): string => {
    switch (grouping.by) {
      case "container":
        return run.container_id
      case "image":
        return run.image
      case "label":
        return labelOf(run, grouping.label)
      case "user": {
        const name = names.get(run.uid) ?? accountName(run.uid) ?? String(run.uid)
        names.set(run.uid, name)
        return name
      }
    }
  }
}

function labelOf({ labels }: RunRow, name: string): string {
  const all = JSON.parse(labels) as Record<string, string>
  return Object.hasOwn(all, name) ? (all[name] ?? "") : ""
}

class Group {
  readonly #containers = new Map<string, string>()
  readonly #runs = new Set<number>()
  readonly #sums = { ms: 0, cpuNs: 0, memoryByteMs: 0, read: 0, written: 0, received: 0, sent: 0 }
  #longestGapMs = 0
  #isBound = false

  constructor(readonly key: string) {}

  add(run: RunRow, slice: SliceRow, { since, until }: { since: number; until: number }): void {
    const { from_ms: from, to_ms: to } = slice
    const ms = Math.min(to, until) - Math.max(from, since)
    // what began and ended in one millisecond belongs to it
    const part = to === from ? 1 : ms / (to - from)
    if (part <= 0) return
    const sums = this.#sums
    sums.ms += Math.max(0, ms)
    sums.cpuNs += slice.cpu_ns * part
    sums.memoryByteMs += slice.memory_byte_ms * part
    sums.read += slice.read_bytes * part
    sums.written += slice.written_bytes * part
    sums.received += slice.received_bytes * part
    sums.sent += slice.sent_bytes * part
    this.#containers.set(run.container_id, run.name)
    this.#runs.add(run.id)
    this.#longestGapMs = Math.max(this.#longestGapMs, run.longest_gap_ms)
    this.#isBound ||= run.is_bound === 1
  }

  get line(): MeterLine {
    const { ms, cpuNs, memoryByteMs, read, written, received, sent } = this.#sums
    return {
      key: this.key,
      name: [...new Set(this.#containers.values())].join(" "),
      containers: this.#containers.size,
      runs: this.#runs.size,
      seconds: ms / 1000,
      cpuSeconds: cpuNs / 1e9,
      memoryGbSeconds: memoryByteMs / 1000 / BYTES_PER_GB,
      memoryIsBound: this.#isBound,
      readBytes: Math.round(read),
      writtenBytes: Math.round(written),
      receivedBytes: Math.round(received),
      sentBytes: Math.round(sent),
      longestGapSeconds: this.#longestGapMs / 1000,
    }
  }
}
