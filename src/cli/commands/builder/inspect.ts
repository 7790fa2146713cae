import { isSkiffError } from "../../../base/errors.ts"
import type { Engine } from "../../../engine/engine.ts"
import {
  builderImageDocument,
  workingContainerDocument,
  type ImageDocuments,
} from "../../../docker/builder-document.ts"
import type { Image, Images } from "../../../image/image.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { printDocuments } from "../../output/document.ts"
import { DOCUMENT_FORMAT_FLAGS } from "../../output/format-flags.ts"

export default command({
  summary: "Inspect the configuration of a working container or an image",
  args: [arg.one("CONTAINER|IMAGE")],
  flags: {
    ...DOCUMENT_FORMAT_FLAGS,
    type: flag.choice(["container", "image"], "Type of the object (default: a container, else an image)", {
      short: "t",
    }),
  },
  async run({ args: [name], flags, engine, out }) {
    const document = await findDocument(engine, name, flags.type)
    // buildah prints the document itself, not a list of one
    if (flags.format === undefined) out.json(document)
    else printDocuments(out, [document], flags.format)
  },
})

async function findDocument(engine: Engine, name: string, type: "container" | "image" | undefined): Promise<object> {
  const images = await engine.images()
  if (type === "image") return builderImageDocument(await documentsOf(images, images.get(name)))
  const working = await engine.workingContainers()
  try {
    const container = working.get(name)
    const { imageId } = container
    const base = imageId === undefined ? undefined : await documentsOf(images, images.get(imageId))
    return workingContainerDocument(container, base)
  } catch (error) {
    const image = type === undefined && isSkiffError(error, "NotFound") ? images.find(name) : undefined
    if (image === undefined) throw error
    return builderImageDocument(await documentsOf(images, image))
  }
}

async function documentsOf(images: Images, image: Image): Promise<ImageDocuments> {
  const [config, manifest] = await Promise.all([images.config(image), images.manifest(image)])
  return { image, config, manifest }
}
