import type { Volume } from "../../../volume/volume.ts"
import { command } from "../../command.ts"
import { parseFilters } from "../../filters.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"

export default command({
  summary: "List volumes",
  args: [],
  flags: {
    filter: flag.strings('Provide filter values (e.g. "name=data")', "filter", { short: "f" }),
    ...LIST_FORMAT_FLAGS,
    noheading: flag.bool("Do not print column headings", { short: "n" }),
    quiet: flag.bool("Only display volume names", { short: "q" }),
  },
  async run({ flags, engine, out, dialect }) {
    const { name, label, driver } = parseFilters(flags.filter, ["driver", "label", "name"])
    const found = (await engine.volumes())
      .list()
      .filter((one) => name?.some((part) => one.name.includes(part)) ?? true)
      .filter((one) => label?.every((wanted) => hasLabel(one, wanted)) ?? true)
      .filter((one) => driver?.includes(one.driver) ?? true)
    const { volumes: list } = await dialect.lists()
    printList(
      out,
      found.flatMap((volume) => list.rows(volume, {})),
      flags,
      list,
    )
  },
})

/** `key`, or `key=value`. */
function hasLabel({ labels }: Volume, wanted: string): boolean {
  const equals = wanted.indexOf("=")
  if (equals < 0) return Object.hasOwn(labels, wanted)
  const key = wanted.slice(0, equals)
  return Object.hasOwn(labels, key) && labels[key] === wanted.slice(equals + 1)
}
