import { isSkiffError, NotFound } from "../../../base/errors.ts"
import type { Engine } from "../../../engine/engine.ts"
import { podDocument } from "../../../docker/pod-document.ts"
import { secretDocument } from "../../../docker/secret-document.ts"
import { arg } from "../../args.ts"
import { CHOICE_FLAGS, chooseContainers, CHOOSING } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import type { Documents } from "../../compat/documents.ts"
import { flag } from "../../flag.ts"
import { inspectEach } from "../../inspect-each.ts"
import { inspectContainer, SIZE_FLAG } from "../../output/inspect-container.ts"
import { DOCUMENT_FORMAT_FLAGS } from "../../output/format-flags.ts"

type Kind = "container" | "image" | "volume" | "network" | "pod" | "secret"

const KINDS = ["container", "image", "volume", "network", "pod", "secret"] as const

export default command({
  summary: "Return low-level information on containers, images, volumes, networks, pods and secrets",
  args: [arg.some("NAME|ID", "objects", { unless: CHOOSING })],
  flags: {
    ...DOCUMENT_FORMAT_FLAGS,
    latest: CHOICE_FLAGS.latest,
    size: SIZE_FLAG,
    type: flag.choice(KINDS, "Only inspect objects of the given type", { short: "t" }),
  },
  async run({ args: [given], flags, ...context }) {
    const { engine, dialect } = context
    const names = flags.latest ? chooseContainers(await engine.containers(), given, flags) : given
    const kinds = flags.latest ? (["container"] as const) : flags.type === undefined ? KINDS : [flags.type]
    const documents = await dialect.documents()
    return inspectEach(names, flags, context, (name) => inspectFirst(engine, documents, kinds, name, flags))
  },
})

/** The first kind that knows the name, in docker's order. */
async function inspectFirst(
  engine: Engine,
  documents: Documents,
  kinds: readonly Kind[],
  name: string,
  flags: { size: boolean },
): Promise<object> {
  for (const kind of kinds) {
    try {
      return await inspectOne(engine, documents, kind, name, flags)
    } catch (error) {
      if (!isSkiffError(error, "NotFound") || kinds.length === 1) throw error
    }
  }
  throw new NotFound(`no such object: "${name}"`, {
    hint: "see: skiff ps -a, skiff images",
    data: { object: "object", name },
  })
}

async function inspectOne(
  engine: Engine,
  documents: Documents,
  kind: Kind,
  name: string,
  flags: { size: boolean },
): Promise<object> {
  switch (kind) {
    case "container":
      return inspectContainer(documents, await engine.containers(), name, flags)
    case "image":
      return documents.image(await (await engine.images()).inspect(name))
    case "volume":
      return documents.volume((await engine.volumes()).get(name))
    case "network":
      return documents.network((await engine.networks()).get(name))
    case "pod":
      return podDocument(await (await engine.pods()).get(name))
    case "secret":
      return secretDocument((await engine.secrets()).get(name))
  }
}
