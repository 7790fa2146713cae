import { formatSize } from "../../../base/sizes.ts"
import type { HistoryLine } from "../../../image/image.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { formatAgo } from "../../output/ages.ts"
import { ellipsis } from "../../output/columns.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"

export default command({
  summary: "Show the history of an image",
  args: [arg.one("IMAGE", "images")],
  flags: {
    ...LIST_FORMAT_FLAGS,
    human: flag.bool("Print sizes and dates in human readable format", { short: "H", initial: true }),
    noTrunc: flag.bool("Don't truncate output"),
    quiet: flag.bool("Only show image IDs", { short: "q" }),
  },
  async run({ args: [name], flags, engine, out }) {
    const lines = await (await engine.images()).history(name)
    const rows = lines.map((line) => historyRow(line, flags))
    printList(out, rows, flags, {
      titles: TITLES,
      table: flags.human
        ? "table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"
        : "table {{.ID}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
      quiet: "{{.ID}}",
    })
  },
})

const TITLES = {
  ID: "IMAGE",
  CreatedSince: "CREATED",
  CreatedAt: "CREATED AT",
  CreatedBy: "CREATED BY",
  Size: "SIZE",
  Comment: "COMMENT",
}

function historyRow(
  { id, createdAt, createdBy, sizeBytes, comment }: HistoryLine,
  { noTrunc, human }: { noTrunc: boolean; human: boolean },
): object {
  const by = createdBy.replaceAll(/\s+/g, " ")
  return {
    ID: noTrunc ? id : id.replace(/^sha256:/, "").slice(0, 12),
    CreatedSince: createdAt ? formatAgo(createdAt, new Date()) : "N/A",
    CreatedAt: createdAt ? createdAt.toISOString().replace(/\.\d+Z$/, "Z") : "",
    CreatedBy: noTrunc ? by : ellipsis(by, 45),
    Size: human ? formatSize(sizeBytes) : String(sizeBytes),
    Comment: comment,
  }
}
