import type { WorkingContainer } from "../../../builder/builder.ts"
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
    const all = (await engine.workingContainers()).list().map(row)
    if (flags.all) all.push(...(await otherRows(engine)))
    const rows = all.filter((each) => fits(each, filters))
    if (flags.json) return out.json(rows.map(jsonRow))
    const isTable = !flags.quiet && (flags.format === undefined || flags.format.startsWith("table"))
    printList(out, isTable && !flags.notruncate ? rows.map(shortened) : rows, flags, {
      titles: {
        ContainerID: "CONTAINER ID",
        Builder: "BUILDER",
        ImageID: "IMAGE ID",
        ImageName: "IMAGE NAME",
        ContainerName: "CONTAINER NAME",
      },
      table: "table {{.ContainerID}}\t{{.Builder}}\t{{.ImageID}}\t{{.ImageName}}\t{{.ContainerName}}",
      quiet: "{{.ContainerID}}",
    })
  },
})

interface Row {
  ContainerID: string
  /** `*` for a working container. */
  Builder: string
  ImageID: string
  ImageName: string
  ContainerName: string
}

function row({ id, imageId, imageName, name }: WorkingContainer): Row {
  const ImageID = imageId?.replace("sha256:", "") ?? ""
  return { ContainerID: id, Builder: "*", ImageID, ImageName: imageName, ContainerName: name }
}

async function otherRows(engine: Engine): Promise<Row[]> {
  const containers = await (await engine.containers()).list({ all: true })
  return containers.map(({ id, name, imageName, imageId }) => ({
    ContainerID: id,
    Builder: "",
    ImageID: imageId.replace("sha256:", ""),
    ImageName: imageName,
    ContainerName: name,
  }))
}

const SHORT_ID = 12

function shortened(full: Row): Row {
  return { ...full, ContainerID: full.ContainerID.slice(0, SHORT_ID), ImageID: full.ImageID.slice(0, SHORT_ID) }
}

/** Every key must fit, by one of its values. */
function fits({ ContainerID, ContainerName, ImageID, ImageName }: Row, { ancestor, id, name }: Filters): boolean {
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

/** buildah's names of the fields. */
function jsonRow({ ContainerID, Builder, ImageID, ImageName, ContainerName }: Row): object {
  return {
    id: ContainerID,
    builder: Builder !== "",
    imageid: ImageID,
    imagename: ImageName,
    containername: ContainerName,
  }
}
