import {
  otherContainerRow,
  withShortIds,
  WORKING_CONTAINER_TITLES,
  workingContainerDocument,
  workingContainerRow,
  type WorkingContainerRow,
} from "../../../docker/working-container-row.ts"
import type { Engine } from "../../../engine/engine.ts"
import { command } from "../../command.ts"
import { parseFilters } from "../../filters.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"

const FILTERS = ["ancestor", "id", "name"] as const

type Filters = ReturnType<typeof parseFilters<(typeof FILTERS)[number]>>

export default command({
  summary: "List working containers and their base images",
  args: [],
  flags: {
    all: flag.bool("Also list other containers", { short: "a" }),
    filter: flag.strings('Filter output based on conditions provided ("ancestor=", "id=", "name=")', "filter", {
      short: "f",
    }),
    ...LIST_FORMAT_FLAGS,
    noheading: flag.bool("Do not print column headings", { short: "n" }),
    notruncate: flag.bool("Do not truncate output", { aliases: ["no-trunc"] }),
    quiet: flag.bool("Display only container IDs", { short: "q" }),
  },
  async run({ flags, engine, out }) {
    const filters = parseFilters(flags.filter, FILTERS)
    const all = (await engine.workingContainers()).list().map(workingContainerRow)
    if (flags.all) all.push(...(await otherRows(engine)))
    const rows = all.filter((each) => fits(each, filters))
    if (flags.json) return out.json(rows.map(workingContainerDocument))
    const isTable = !flags.quiet && (flags.format === undefined || flags.format.startsWith("table"))
    printList(out, isTable && !flags.notruncate ? rows.map(withShortIds) : rows, flags, {
      titles: WORKING_CONTAINER_TITLES,
      table: "table {{.ContainerID}}\t{{.Builder}}\t{{.ImageID}}\t{{.ImageName}}\t{{.ContainerName}}",
      quiet: "{{.ContainerID}}",
    })
  },
})

async function otherRows(engine: Engine): Promise<WorkingContainerRow[]> {
  const containers = await (await engine.containers()).list({ all: true })
  return containers.map(otherContainerRow)
}

/** Every key must fit, by one of its values. */
function fits(
  { ContainerID, ContainerName, ImageID, ImageName }: WorkingContainerRow,
  { ancestor, id, name }: Filters,
): boolean {
  const ancestors = (value: string): boolean =>
    ImageName === value ||
    ImageName.includes(value) ||
    (value.length > 0 && ImageID.startsWith(value.replace("sha256:", "")))
  return (
    (ancestor?.some(ancestors) ?? true) &&
    (id?.some((value) => ContainerID.startsWith(value)) ?? true) &&
    (name?.some((value) => ContainerName.includes(value)) ?? true)
  )
}
