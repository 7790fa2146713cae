import { command } from "../../command.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { flag } from "../../flag.ts"
import { DISK_USAGE_TABLES, diskUsageLists } from "../../output/disk-usage.ts"
import { printDocuments } from "../../output/document.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"
import type { Out } from "../../out.ts"
import { formatBinarySize } from "../../../base/sizes.ts"
import type { DiskUsage } from "../../../engine/engine.ts"

export default command({
  summary: "Show disk usage",
  args: [],
  flags: { ...LIST_FORMAT_FLAGS, verbose: flag.bool("Show detailed information on space usage", { short: "v" }) },
  async run({ flags, engine, out, dialect }) {
    using interrupt = new AbortOnInterrupt()
    const usage = await engine.diskUsage({ signal: interrupt.signal })
    if (flags.verbose) return printLists(out, usage, flags)
    const { diskUsage: list } = await dialect.lists()
    printList(out, list.rows(usage), flags, list)
    const isTable = !flags.json && (flags.format === undefined || flags.format === "table")
    if (isTable && usage.maxImageBytes !== undefined)
      out.note(`Images are kept within ${formatBinarySize(usage.maxImageBytes)}`)
  },
})

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
