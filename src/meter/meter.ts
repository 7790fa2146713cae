/**
 * What containers have used, for bills and budgets: kept after they are gone.
 *
 *   a run of a container:   start ─ sample ─ sample ─ … ─ end
 *
 * The kernel counts CPU time and bytes; a sample is what it has counted since the start of the run. What came since the sample before
 * is written down as a slice of time, in one transaction. The samples of an hour are one slice; a run that nobody sampled is one
 * slice, written at its end. A report of a part of a slice takes that part of its numbers.
 *
 * No counter of the kernel says for how long memory was held. Between two samples it is taken to have changed evenly, from the last
 * sample to the end to have stayed. Of a run without a sample the peak is taken for the whole time: `memoryIsBound` says that it was
 * no more than that.
 */

/** Which run of which container, and whose it is. Container and start name a run. */
export interface MeteredRun {
  containerId: string
  name: string
  image: string
  labels: Readonly<Record<string, string>>
  /** The account that started it. */
  uid: number
  startedAt: Date
}

/** What the kernel has counted since the run's start; what is undefined is taken to be as it was. */
export interface MeterSample {
  at: Date
  cpuNs?: number
  readBytes?: number
  writtenBytes?: number
  receivedBytes?: number
  sentBytes?: number
  /** Held at this moment. */
  memoryBytes?: number
  /** The most that was ever held. */
  memoryPeakBytes?: number
}

/** What the lines of a report stand for. */
export type MeterGrouping = { by: "container" | "user" | "image" } | { by: "label"; label: string }

/** Which part of the time, in which lines. */
export interface MeterQuery {
  /** Default: all that is kept. */
  since?: Date
  until?: Date
  /** Default: a line a container. */
  grouping?: MeterGrouping
}

/** What was used, in one line of a report. */
export interface MeterLine {
  /** Container id, user name, image, or value of the label; empty for those without it. */
  key: string
  /** Of the containers in it, as they were called last; of a container, its own. */
  name: string
  containers: number
  runs: number
  /** That they ran, added up. */
  seconds: number
  cpuSeconds: number
  /** Thousand million bytes for one second. */
  memoryGbSeconds: number
  /** Part of the memory was not sampled: it was at most this. */
  memoryIsBound: boolean
  readBytes: number
  writtenBytes: number
  receivedBytes: number
  sentBytes: number
  /** The longest time that nobody looked. */
  longestGapSeconds: number
}

/** The meter of one store. */
export interface Meter {
  /** Writes down what was used since the sample before. Does nothing for a run that has ended. One short transaction for all. */
  sample(samples: readonly { run: MeteredRun; sample: MeterSample }[]): void
  /** The last sample of a run. Safe to repeat: the first end counts. */
  end(run: MeteredRun, sample: MeterSample): void
  /** Whether the end is written down already. */
  hasEnded(run: Pick<MeteredRun, "containerId" | "startedAt">): boolean
  /** Whether somebody is to stay and sample, how often; undefined: no. */
  sampling(): number | undefined
  /** In milliseconds; undefined: no more. Safe to repeat. */
  setSampling(intervalMs: number | undefined): void
  /** The heaviest user of the CPU first. Throws InvalidArgument when `until` comes before `since`. */
  report(query?: MeterQuery): MeterLine[]
}
