import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { keyName, METER_FLAGS, meterQuery } from "../../meter-query.ts"
import { printList } from "../../output/list.ts"
import { csvLines, meterRecord, meterRow, meterTable, meterTitles } from "../../output/meter-row.ts"

const EMPTY = {
  key: "",
  name: "",
  containers: 0,
  runs: 0,
  seconds: 0,
  cpuSeconds: 0,
  memoryGbSeconds: 0,
  memoryIsBound: false,
  readBytes: 0,
  writtenBytes: 0,
  receivedBytes: 0,
  sentBytes: 0,
  longestGapSeconds: 0,
}

export default command({
  summary: "Report what containers have used, also those that are gone",
  args: [],
  flags: {
    ...METER_FLAGS,
    until: flag.time("Up to this time"),
    format: flag.string("Print as csv, json, table, or by a Go template"),
    json: flag.bool("Print one JSON array"),
  },
  async run({ flags, engine, out }) {
    const query = meterQuery(flags)
    const key = keyName(query)
    // a label may be called as another column
    const by = query.grouping?.by ?? "container"
    await (await engine.containers()).meterRunning()
    const lines = (await engine.meter()).report({ ...query, until: flags.until })
    const records = lines.map((line) => meterRecord(line, by))
    // a report is one document: docker's `json` of lists is a line each
    if (flags.json || flags.format === "json") return out.json(records)
    if (flags.format === "csv") {
      const titles = Object.keys(meterRecord(EMPTY, by)).join(",")
      return out.line([titles, ...csvLines(records)].join("\n"))
    }
    const rows = lines.map((line) => meterRow(line, key))
    printList(
      out,
      rows,
      { format: flags.format },
      { titles: meterTitles(key), table: meterTable(key), quiet: "{{.ID}}" },
    )
  },
})
