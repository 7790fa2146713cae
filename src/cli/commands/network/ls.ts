import { command } from "../../command.ts"
import { parseFilters } from "../../filters.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"

export default command({
  summary: "List networks",
  args: [],
  flags: {
    filter: flag.strings('Provide filter values (e.g. "name=bridge")', "filter", { short: "f" }),
    ...LIST_FORMAT_FLAGS,
    noheading: flag.bool("Do not print column headings", { short: "n" }),
    noTrunc: flag.bool("Do not truncate the output"),
    quiet: flag.bool("Only display network IDs", { short: "q" }),
  },
  async run({ flags, engine, out, dialect }) {
    const { name, id, driver } = parseFilters(flags.filter, ["driver", "id", "name"])
    const found = (await engine.networks())
      .list()
      .filter((one) => name?.some((part) => one.name.includes(part)) ?? true)
      .filter((one) => id?.some((part) => one.id.startsWith(part)) ?? true)
      .filter((one) => driver?.includes(one.driver) ?? true)
    const { networks: list } = await dialect.lists()
    const rows = found.flatMap((network) => list.rows(network, flags))
    printList(out, rows, flags, list)
  },
})
