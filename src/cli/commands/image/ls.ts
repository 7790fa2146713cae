import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { booleanFilter, parseFilters } from "../../filters.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
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
  async run({ args: [name], flags, engine, out, dialect }) {
    const { dangling, before, since, ...lists } = parseFilters(flags.filter, FILTERS)
    const images = (await engine.images()).list({
      ...lists,
      ...(name === undefined ? {} : { reference: [name] }),
      dangling: booleanFilter(dangling, "dangling"),
      before: before?.at(-1),
      since: since?.at(-1),
    })
    const list = (await dialect.lists()).images(flags)
    const rows = images.flatMap((image) => list.rows(image, { ...flags, only: name }))
    printList(out, flags.quiet ? unique(rows) : rows, flags, list)
  },
})

/** `-q` names an image once, however many names it has. */
function unique(rows: readonly object[]): object[] {
  return [...new Map(rows.map((row) => [(row as { ID: string }).ID, row])).values()]
}
