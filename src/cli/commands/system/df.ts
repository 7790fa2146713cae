import { command } from "../../command.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { flag } from "../../flag.ts"
import {
  DISK_USAGE_FIELDS,
  DISK_USAGE_TABLES,
  DISK_USAGE_TITLES,
  diskUsageLists,
  diskUsageRows,
} from "../../output/disk-usage.ts"
import { printDocuments } from "../../output/document.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"
import type { Out } from "../../out.ts"
import type { DiskUsage } from "../../../engine/engine.ts"

const TABLE = "table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}"

export default command({
  summary: "Show disk usage",
  args: [],
  flags: { ...LIST_FORMAT_FLAGS, verbose: flag.bool("Show detailed information on space usage", { short: "v" }) },
  async run({ flags, engine, out }) {
    using interrupt = new AbortOnInterrupt()
    const usage = await engine.diskUsage({ signal: interrupt.signal })
    if (flags.verbose) return printLists(out, usage, flags)
    const isJson = flags.json || flags.format === "json" || flags.format === "{{json .}}"
    const rows = diskUsageRows(usage)
    printList(out, isJson ? rows.map(onlyDockers) : rows, flags, {
      titles: DISK_USAGE_TITLES,
      table: TABLE,
      quiet: "{{.Type}}",
    })
  },
})

function onlyDockers(row: object): object {
  return Object.fromEntries(Object.entries(row).filter(([name]) => DISK_USAGE_FIELDS.includes(name)))
}

function printLists(out: Out, usage: DiskUsage, { json, format }: { json: boolean; format: string | undefined }): void {
  const lists = diskUsageLists(usage)
  if (json || (format !== undefined && format !== "table")) {
    const document = Object.fromEntries(Object.entries(lists).map(([name, { rows }]) => [name, rows]))
    return json ? out.json(document) : printDocuments(out, [document], format)
  }
  for (const [index, [name, { title, rows }]] of Object.entries(lists).entries()) {
    const { titles, columns } = DISK_USAGE_TABLES[name] ?? { titles: {}, columns: [] }
    out.line(`${index === 0 ? "" : "\n"}${title}\n`)
    printList(
      out,
      rows,
      {},
      { titles, table: `table ${columns.map((one) => `{{.${one}}}`).join("\t")}`, quiet: "{{.ID}}" },
    )
  }
}
