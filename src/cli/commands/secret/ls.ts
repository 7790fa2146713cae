import { SECRET_TITLES, secretRow } from "../../../docker/secret-document.ts"
import type { Secret } from "../../../secret/secret.ts"
import { command } from "../../command.ts"
import { parseFilters } from "../../filters.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"

export default command({
  summary: "List secrets",
  args: [],
  flags: {
    filter: flag.strings('Filter output (e.g. "name=token", "label=team=web")', "filter", { short: "f" }),
    ...LIST_FORMAT_FLAGS,
    noheading: flag.bool("Do not print headers", { short: "n" }),
    quiet: flag.bool("Only display IDs", { short: "q" }),
  },
  async run({ flags, engine, out }) {
    const { name, id, label } = parseFilters(flags.filter, ["id", "label", "name"])
    const found = (await engine.secrets())
      .list()
      .filter((one) => name?.some((part) => one.name.includes(part)) ?? true)
      .filter((one) => id?.some((prefix) => one.id.startsWith(prefix)) ?? true)
      .filter((one) => label?.every((wanted) => hasLabel(one, wanted)) ?? true)
    const now = new Date()
    printList(
      out,
      found.map((one) => secretRow(one, now)),
      flags,
      {
        titles: SECRET_TITLES,
        table: "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.CreatedAt}}\t{{.UpdatedAt}}",
        quiet: "{{.ID}}",
      },
    )
  },
})

/** `key`, or `key=value`. */
function hasLabel({ labels }: Secret, wanted: string): boolean {
  const equals = wanted.indexOf("=")
  if (equals < 0) return Object.hasOwn(labels, wanted)
  const key = wanted.slice(0, equals)
  return Object.hasOwn(labels, key) && labels[key] === wanted.slice(equals + 1)
}
