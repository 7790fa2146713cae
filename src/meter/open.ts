import { InvalidArgument } from "../base/errors.ts"
import type { MeterDeps } from "./deps.ts"
import type { Meter, MeteredRun, MeterSample } from "./meter.ts"
import { MeterRecords } from "./records.ts"
import { keyOfRun, reportLines } from "./report.ts"
import { readSampling, writeSampling } from "./sampling.ts"

const BY_CONTAINER = { by: "container" } as const

/** The meter of one store. Opens nothing. */
export function openMeter({ db, accountName }: MeterDeps): Meter {
  const records = new MeterRecords(db)
  const add = (run: MeteredRun, sample: MeterSample, isEnd: boolean): void => {
    const row = records.open(run)
    if (row.ended === 0) records.add(row, sample, isEnd)
  }
  return {
    sample(samples) {
      if (samples.length === 0) return
      db.transaction(() => {
        for (const { run, sample } of samples) add(run, sample, false)
      })
    },
    end: (run, sample) => db.transaction(() => add(run, sample, true)),
    hasEnded: (run) => records.find(run)?.ended === 1,
    sampling: () => readSampling(db),
    setSampling: (intervalMs) => writeSampling(db, intervalMs),
    report({ since, until, grouping = BY_CONTAINER } = {}) {
      const [from, to] = [since?.getTime() ?? 0, until?.getTime() ?? Number.MAX_SAFE_INTEGER]
      if (to < from)
        throw new InvalidArgument("the time of the report ends before it begins", { hint: "give an earlier begin" })
      const keyOf = keyOfRun(grouping, accountName)
      return reportLines(records.slices(from, to), records.runs(), { since: from, until: to, keyOf })
    },
  }
}
