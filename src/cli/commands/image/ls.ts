import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { booleanFilter, parseFilters } from "../../filters.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { IMAGE_TITLES, imageRows } from "../../../docker/image-row.ts"
import { printList } from "../../output/list.ts"

const FILTERS = ["before", "dangling", "label", "reference", "since"] as const

export default command({
  summary: "List images",
  args: [arg.optional("REPOSITORY[:TAG]", "images")],
  flags: {
    all: flag.bool("Show all images (default hides intermediate images)", { short: "a" }),
    digests: flag.bool("Show digests"),
    filter: flag.strings("Filter output based on conditions provided", "filter", { short: "f" }),
    ...LIST_FORMAT_FLAGS,
    noheading: flag.bool("Do not print column headings", { short: "n" }),
    noTrunc: flag.bool("Don't truncate output"),
    quiet: flag.bool("Only show image IDs", { short: "q" }),
  },
  async run({ args: [name], flags, engine, out }) {
    const { dangling, before, since, ...lists } = parseFilters(flags.filter, FILTERS)
    const images = (await engine.images()).list({
      ...lists,
      ...(name === undefined ? {} : { reference: [name] }),
      dangling: booleanFilter(dangling, "dangling"),
      before: before?.at(-1),
      since: since?.at(-1),
    })
    const rows = images.flatMap((image) => imageRows(image, { ...flags, only: name }))
    const digest = flags.digests ? "{{.Digest}}\t" : ""
    printList(out, flags.quiet ? unique(rows) : rows, flags, {
      titles: IMAGE_TITLES,
      table: `table {{.Repository}}\t{{.Tag}}\t${digest}{{.ID}}\t{{.CreatedSince}}\t{{.Size}}`,
      quiet: "{{.ID}}",
    })
  },
})

/** `-q` names an image once, however many names it has. */
function unique<T extends { ID: string }>(rows: readonly T[]): T[] {
  return [...new Map(rows.map((row) => [row.ID, row])).values()]
}
