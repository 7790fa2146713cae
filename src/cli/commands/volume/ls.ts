import { parseTimestamp } from "../../../spec/docker/timestamp.ts"
import { command } from "../../command.ts"
import { booleanFilter, parseFilters } from "../../filters.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"

const FILTERS = [
  "after",
  "anonymous",
  "dangling",
  "driver",
  "label",
  "label!",
  "name",
  "opt",
  "scope",
  "since",
  "until",
] as const

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
    const filters = parseFilters(flags.filter, FILTERS)
    const { name, label, driver, opt, scope, "label!": notLabel, until, since, after = since } = filters
    const dangling = booleanFilter(filters.dangling, "dangling")
    const isAnonymous = booleanFilter(filters.anonymous, "anonymous")
    const volumes = await engine.volumes()
    const before = until === undefined ? undefined : parseTimestamp(until.at(-1) ?? "", new Date())
    const later = after === undefined ? undefined : volumes.get(after.at(-1) ?? "").createdAt
    const containers = dangling === undefined ? undefined : await engine.containers()
    const isUsed = (volume: string) => (containers?.list({ all: true, volume: [volume] }).length ?? 0) > 0
    const found = volumes
      .list()
      .filter((one) => dangling === undefined || dangling !== isUsed(one.name))
      .filter((one) => isAnonymous === undefined || one.anonymous === isAnonymous)
      .filter((one) => !notLabel?.some((unwanted) => hasKey(one.labels, unwanted)))
      .filter((one) => opt?.every((wanted) => hasKey(one.options, wanted)) ?? true)
      .filter(() => scope?.includes("local") ?? true)
      .filter((one) => before === undefined || one.createdAt < before)
      .filter((one) => later === undefined || one.createdAt > later)
      .filter((one) => name?.some((part) => one.name.includes(part)) ?? true)
      .filter((one) => label?.every((wanted) => hasKey(one.labels, wanted)) ?? true)
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
function hasKey(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const equals = wanted.indexOf("=")
  if (equals < 0) return Object.hasOwn(labels, wanted)
  const key = wanted.slice(0, equals)
  return Object.hasOwn(labels, key) && labels[key] === wanted.slice(equals + 1)
}
