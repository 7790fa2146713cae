import { command } from "../../command.ts"
import { containerFilter } from "../../container-filter.ts"
import { flag } from "../../flag.ts"
import { CONTAINER_TITLES, containerRow } from "../../../docker/container-row.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"

export default command({
  summary: "List containers",
  args: [],
  flags: {
    all: flag.bool("Show all containers (default shows just running)", { short: "a" }),
    filter: flag.strings("Filter output based on conditions provided", "filter", { short: "f" }),
    ...LIST_FORMAT_FLAGS,
    last: flag.int("Show n last created containers (includes all states)", { short: "n" }),
    latest: flag.bool("Show the latest created container (includes all states)", { short: "l" }),
    noTrunc: flag.bool("Don't truncate output"),
    size: flag.bool("Display total file sizes", { short: "s" }),
    quiet: flag.bool("Only display container IDs", { short: "q" }),
  },
  async run({ flags, engine, out }) {
    const count = flags.latest ? 1 : (flags.last ?? -1)
    const filter = containerFilter(flags.filter, flags.all || count > 0)
    const containers = await engine.containers()
    const found = containers.list(filter)
    const shown = count > 0 ? found.slice(0, count) : found
    const isSized = flags.size || flags.format?.includes(".Size") === true
    const sizes = isSized ? await Promise.all(shown.map(({ id }) => containers.size(id))) : []
    const rows = shown.map((one, index) => containerRow(one, { ...flags, size: sizes[index] }))
    printList(out, rows, flags, {
      titles: CONTAINER_TITLES,
      // scripts get docker's text to the letter
      table: `table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.${out.stdoutIsTerminal ? "StatusInWords" : "Status"}}}\t{{.Ports}}\t{{.Names}}${flags.size ? "\t{{.Size}}" : ""}`,
      quiet: "{{.ID}}",
    })
  },
})
