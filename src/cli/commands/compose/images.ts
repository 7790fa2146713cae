import { isSkiffError } from "../../../base/errors.ts"
import type { ProjectContainer } from "../../../compose/compose.ts"
import { formatAgo } from "../../../docker/ages.ts"
import { imageRows } from "../../../docker/image-row.ts"
import type { Image, Images } from "../../../image/image.ts"
import { formatSize } from "../../../base/sizes.ts"
import { arg } from "../../args.ts"
import { chosenContainers } from "../../compose/chosen-containers.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"
import { shortDigest } from "../../../spec/digest.ts"
import { formatPlatform } from "../../../spec/platform.ts"

const TABLE = "table {{.ContainerName}}\t{{.Repository}}\t{{.Tag}}\t{{.Platform}}\t{{.ID}}\t{{.Size}}\t{{.Created}}"
const LAYOUT = {
  titles: {
    ContainerName: "CONTAINER",
    Repository: "REPOSITORY",
    Tag: "TAG",
    Platform: "PLATFORM",
    ID: "IMAGE ID",
    Size: "SIZE",
    Created: "CREATED",
  },
  table: TABLE,
  quiet: "{{.ID}}",
  columns: { least: 20, gap: 3 },
}

export default composeCommand({
  summary: "List images used by the created containers",
  args: [arg.rest("[SERVICE...]", "services")],
  flags: {
    ...LIST_FORMAT_FLAGS,
    quiet: flag.bool("Only display IDs", { short: "q" }),
  },
  async run({ args: [services], flags, engine, out, compose }) {
    const name = await compose.name()
    const images = await engine.images()
    const used = chosenContainers(await engine.containers(), name, { services, all: true, oneOffs: true }).flatMap(
      (one) => withImage(one, images),
    )
    if (flags.quiet) for (const id of new Set(used.map(({ image }) => image.id))) out.line(id.replace(/^.*:/, ""))
    else if (flags.json) out.json(used.map(documentOf))
    else if (flags.format === "json") out.line(JSON.stringify(used.map(documentOf)))
    else printList(out, used.map(rowOf), flags, LAYOUT)
  },
})

interface Used extends ProjectContainer {
  image: Image
}

/** None of a container whose image was removed by force. */
function withImage(one: ProjectContainer, images: Images): Used[] {
  try {
    return [{ ...one, image: images.get(one.container.imageId) }]
  } catch (error) {
    if (isSkiffError(error, "NotFound")) return []
    throw error
  }
}

/** Of the names of an image the one that the container was made by, else its first. */
function namesOf({ image, container }: Used): { repository: string; tag: string } {
  const rows = imageRows(image, { noTrunc: false, digests: false })
  const index = Math.max(0, image.tags.indexOf(container.imageName))
  const { Repository: repository = "<none>", Tag: tag = "<none>" } = rows[index] ?? {}
  return { repository, tag }
}

function rowOf(used: Used): object {
  const { image, container } = used
  const { repository, tag } = namesOf(used)
  return {
    ContainerName: container.name,
    Repository: repository,
    Tag: tag,
    Platform: formatPlatform(image.platform),
    ID: shortDigest(image.id),
    Size: formatSize(image.sizeBytes),
    Created: image.createdAt === undefined ? "N/A" : formatAgo(image.createdAt, new Date()),
  }
}

/** Docker's document. */
function documentOf(used: Used): object {
  const { image, container } = used
  const { repository, tag } = namesOf(used)
  return {
    ID: image.id,
    ContainerName: container.name,
    Repository: repository === "<none>" ? "" : repository,
    Tag: tag === "<none>" ? "" : tag,
    Platform: formatPlatform(image.platform),
    Size: image.sizeBytes,
    ...(image.createdAt === undefined ? {} : { Created: image.createdAt.toISOString() }),
  }
}
