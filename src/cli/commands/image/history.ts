import { HISTORY_TITLES, historyRow } from "../../../docker/history-row.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { imageMember, MEMBER_PLATFORM_FLAG } from "../../image-member.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"

export default command({
  summary: "Show the history of an image",
  args: [arg.one("IMAGE", "images")],
  flags: {
    ...LIST_FORMAT_FLAGS,
    human: flag.bool("Print sizes and dates in human readable format", { short: "H", initial: true }),
    platform: MEMBER_PLATFORM_FLAG,
    noTrunc: flag.bool("Don't truncate output"),
    quiet: flag.bool("Only show image IDs", { short: "q" }),
  },
  async run({ args: [name], flags, engine, out }) {
    const images = await engine.images()
    const id = flags.platform === undefined ? name : (await imageMember(images, name, flags.platform)).image.id
    const lines = await images.history(id)
    const rows = lines.map((line) => historyRow(line, flags))
    printList(out, rows, flags, {
      titles: HISTORY_TITLES,
      table: flags.human
        ? "table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"
        : "table {{.ID}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
      quiet: "{{.ID}}",
    })
  },
})
