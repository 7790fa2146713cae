import { isSkiffError } from "../../../base/errors.ts"
import type { Engine } from "../../../engine/engine.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { containerDocument, imageDocument } from "../../output/builder-document.ts"
import { printDocuments } from "../../output/document.ts"
import { DOCUMENT_FORMAT_FLAGS } from "../../output/format-flags.ts"

export default command({
  summary: "Inspect the configuration of a working container or an image",
  args: [arg.one("CONTAINER|IMAGE")],
  flags: {
    ...DOCUMENT_FORMAT_FLAGS,
    type: flag.choice(["container", "image"], "What is looked for: default a container, then an image", { short: "t" }),
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
  if (type === "image") return await imageDocument(images, images.get(name))
  const working = await engine.workingContainers()
  try {
    return await containerDocument(images, working.get(name))
  } catch (error) {
    const image = type === undefined && isSkiffError(error, "NotFound") ? images.find(name) : undefined
    if (image === undefined) throw error
    return await imageDocument(images, image)
  }
}
