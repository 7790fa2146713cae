import { setTimeout as sleep } from "node:timers/promises"
import { InvalidArgument } from "../../../base/errors.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { keyName, METER_FLAGS, meterQuery } from "../../meter-query.ts"
import { printList } from "../../output/list.ts"
import { meterRow, meterTable, meterTitles } from "../../output/meter-row.ts"
import { RepaintedOut } from "../../terminal/repainted-out.ts"

const DEFAULT_INTERVAL_MS = 5000

export default command({
  summary: "Sample what containers use, and show it as it grows",
  args: [],
  flags: {
    ...METER_FLAGS,
    interval: flag.duration("Time between two samples (default 5s)"),
    quiet: flag.bool("Sample, and show nothing", { short: "q" }),
  },
  async run({ flags, engine, out }) {
    const { interval = DEFAULT_INTERVAL_MS, quiet } = flags
    if (interval < 100) throw new InvalidArgument("invalid interval: the shortest is 100ms")
    const query = meterQuery(flags)
    const key = keyName(query)
    const [containers, meter] = await Promise.all([engine.containers(), engine.meter()])
    using interrupt = new AbortOnInterrupt()
    const screen = out.stdoutIsTerminal ? new RepaintedOut() : undefined
    while (!interrupt.signal.aborted) {
      await containers.meterRunning()
      if (!quiet) {
        const rows = meter.report(query).map((line) => meterRow(line, key))
        printList(screen ?? out, rows, {}, { titles: meterTitles(key), table: meterTable(key), quiet: "{{.ID}}" })
        screen?.show()
      }
      await sleep(interval, undefined, { signal: interrupt.signal }).catch(() => {})
    }
  },
})
