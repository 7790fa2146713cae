import { InvalidArgument, isSkiffError } from "../../../base/errors.ts"
import { SEARCH_TITLES, searchRow } from "../../../docker/search-row.ts"
import { familiarReference, parseReference } from "../../../image/image.ts"
import type { FoundRepository, Registries, RegistryAccess } from "../../../registry/registry.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { booleanFilter, parseFilters } from "../../filters.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../registry-flags.ts"

const DEFAULT_LIMIT = 25
const MOST = 100

export default command({
  summary: "Search registries for images",
  args: [arg.one("TERM")],
  flags: {
    ...REGISTRY_FLAGS,
    ...LIST_FORMAT_FLAGS,
    compatible: flag.bool("Show the columns of docker in place of podman's"),
    filter: flag.strings('Filter output: "is-official=true", "stars=3"', "filter", { short: "f" }),
    limit: flag.int(`Max number of search results (default ${DEFAULT_LIMIT})`),
    listTags: flag.bool("List the tags of a repository"),
    noTrunc: flag.bool("Don't truncate output"),
  },
  examples: ["skiff search nginx", "skiff search registry.example.com/team", "skiff search --list-tags debian"],
  async run({ args: [term], flags, engine, out, dialect }) {
    const limit = flags.limit ?? DEFAULT_LIMIT
    if (limit < 1 || (limit > MOST && !flags.listTags))
      throw new UsageError(`limit ${limit} is outside the range of [1, ${MOST}]`)
    const access = registryAccess(flags)
    if (flags.listTags) {
      const tags = (await (await engine.images()).tagsAt(term, access)).slice(0, flags.limit)
      const rows = tags.map((name) => tagRow(name))
      return printList(out, rows, flags, { titles: TAG_TITLES, table: "table {{.Name}}\t{{.Tag}}", quiet: "{{.Tag}}" })
    }
    const isWanted = resultFilter(flags.filter)
    const found = await searchAll(await engine.registries(), term, limit, access)
    const isPodman = dialect.name === "podman" && !flags.compatible
    const rows = found.filter(isWanted).map((one) => searchRow(one, { noTrunc: flags.noTrunc, isFull: isPodman }))
    const table = isPodman
      ? "table {{.Name}}\t{{.Description}}"
      : "table {{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}"
    printList(out, rows, flags, { titles: SEARCH_TITLES, table, quiet: "{{.Name}}" })
  },
})

/** At the registry that the term names, else at all that short names are looked for at. One that cannot be searched is left out. */
async function searchAll(
  registries: Registries,
  term: string,
  limit: number,
  access: RegistryAccess,
): Promise<FoundRepository[]> {
  const [first = "", ...rest] = term.split("/")
  if (rest.length > 0 && /[.:]|^localhost$/.test(first))
    return registries.search(first, rest.join("/"), { ...access, limit })
  const places = [...new Set((await registries.candidates(term)).map(({ registry }) => registry))]
  const answers = await Promise.allSettled(places.map((place) => registries.search(place, term, { ...access, limit })))
  const found = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []))
  const [failure] = answers.flatMap((answer) => (answer.status === "rejected" ? [answer.reason as unknown] : []))
  if (found.length > 0 || failure === undefined) return found
  throw isSkiffError(failure) ? failure : new InvalidArgument(String(failure))
}

function resultFilter(filters: readonly string[]): (one: FoundRepository) => boolean {
  const {
    "is-official": official,
    "is-automated": automated,
    stars,
  } = parseFilters(filters, ["is-official", "is-automated", "stars"])
  const isOfficial = booleanFilter(official, "is-official")
  const isAutomated = booleanFilter(automated, "is-automated")
  const least = Number(stars?.at(-1) ?? 0)
  if (!Number.isInteger(least)) throw new InvalidArgument(`invalid filter 'stars=${stars?.at(-1)}'`)
  return (one) =>
    (isOfficial === undefined || one.isOfficial === isOfficial) && isAutomated !== true && one.stars >= least
}

function tagRow(name: string): { Name: string; Tag: string } {
  const { tag = "", ...repository } = parseReference(name)
  return { Name: familiarReference(repository), Tag: tag }
}

const TAG_TITLES = { Name: "NAME", Tag: "TAG" }
