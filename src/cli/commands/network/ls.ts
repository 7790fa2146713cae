import { isSkiffError } from "../../../base/errors.ts"
import { PREDEFINED_NETWORKS, predefinedNetworkRow } from "../../../docker/predefined-networks.ts"
import { DEFAULT_NETWORK, type Network, type Networks } from "../../../network/network.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { networkFilter } from "../../network/network-filter.ts"
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
    const isAsked = await networkFilter(flags.filter, engine)
    const networks = await engine.networks()
    const usual = defaultNetwork(networks)
    const found = [...usual, ...networks.list().filter(({ name }) => name !== DEFAULT_NETWORK)]
    const { networks: list } = await dialect.lists()
    const lines = found.filter(isAsked).map((network) => ({ name: network.name, rows: list.rows(network, flags) }))
    const predefined = dialect.networks.hasPredefined ? PREDEFINED_NETWORKS : []
    for (const one of predefined)
      if (isAsked(one)) lines.push({ name: one.name, rows: [predefinedNetworkRow(one, flags)] })
    const rows = lines
      .toSorted((one, other) => (shownName(one) < shownName(other) ? -1 : 1))
      .flatMap((line) => line.rows)
    printList(out, rows, flags, list)
  },
})

/** The default network may be called otherwise than it is kept. */
function shownName({ name, rows }: { name: string; rows: readonly object[] }): string {
  const [row] = rows as readonly { Name?: unknown }[]
  return typeof row?.Name === "string" ? row.Name : name
}

/** Before its first use as it would be made; none where no range is left for it. */
function defaultNetwork(networks: Networks): Network[] {
  try {
    return [networks.inspect(DEFAULT_NETWORK)]
  } catch (error) {
    if (isSkiffError(error, "Unavailable")) return []
    throw error
  }
}
