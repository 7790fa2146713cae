import { isSkiffError, NotFound } from "../../../base/errors.ts"
import { imageDocument } from "../../../docker/image-document.ts"
import type { Engine } from "../../../engine/engine.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { inspectEach } from "../../inspect-each.ts"
import { inspectContainer, SIZE_FLAG } from "../../output/inspect-container.ts"
import { networkDocument } from "../../../docker/network-document.ts"
import { volumeDocument } from "../../../docker/volume-document.ts"
import { DOCUMENT_FORMAT_FLAGS } from "../../output/format-flags.ts"

type Kind = "container" | "image" | "volume" | "network"

const KINDS = ["container", "image", "volume", "network"] as const

export default command({
  summary: "Return low-level information on containers, images, volumes and networks",
  args: [arg.some("NAME|ID", "objects")],
  flags: {
    ...DOCUMENT_FORMAT_FLAGS,
    size: SIZE_FLAG,
    type: flag.choice(KINDS, "Only inspect objects of the given type", { short: "t" }),
  },
  async run({ args: [names], flags, ...context }) {
    const kinds = flags.type === undefined ? KINDS : [flags.type]
    return inspectEach(names, flags, context, (name) => inspectFirst(context.engine, kinds, name, flags))
  },
})

/** The first kind that knows the name, in docker's order. */
async function inspectFirst(
  engine: Engine,
  kinds: readonly Kind[],
  name: string,
  flags: { size: boolean },
): Promise<object> {
  for (const kind of kinds) {
    try {
      return await inspectOne(engine, kind, name, flags)
    } catch (error) {
      if (!isSkiffError(error, "NotFound") || kinds.length === 1) throw error
    }
  }
  throw new NotFound(`no such object: "${name}"`, { hint: "see: skiff ps -a, skiff images" })
}

async function inspectOne(engine: Engine, kind: Kind, name: string, flags: { size: boolean }): Promise<object> {
  switch (kind) {
    case "container":
      return inspectContainer(await engine.containers(), name, flags)
    case "image":
      return imageDocument(await (await engine.images()).inspect(name))
    case "volume":
      return volumeDocument((await engine.volumes()).get(name))
    case "network":
      return networkDocument((await engine.networks()).get(name))
  }
}
