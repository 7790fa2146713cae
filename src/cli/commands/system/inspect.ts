import { isSkiffError, NotFound } from "../../../base/errors.ts"
import type { Engine } from "../../../engine/engine.ts"
import { podDocument } from "../../../docker/pod-document.ts"
import { secretDocument } from "../../../docker/secret-document.ts"
import { arg } from "../../args.ts"
import { CHOICE_FLAGS, chooseContainers, CHOOSING } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import type { Dialect } from "../../compat/dialect.ts"
import { flag } from "../../flag.ts"
import { inspectEach } from "../../inspect-each.ts"
import { inspectNetwork } from "../../network/inspect-network.ts"
import { inspectContainer, SIZE_FLAG } from "../../output/inspect-container.ts"
import { DOCUMENT_FORMAT_FLAGS } from "../../output/format-flags.ts"

type Kind = "container" | "image" | "volume" | "network" | "pod" | "secret"

interface Source {
  engine: Engine
  dialect: Dialect
}

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
    return inspectEach(names, flags, context, (name) => inspectFirst({ engine, dialect }, kinds, name, flags))
  },
})

/** The first kind that knows the name, in docker's order. */
async function inspectFirst(
  from: Source,
  kinds: readonly Kind[],
  name: string,
  flags: { size: boolean },
): Promise<object> {
  for (const kind of kinds) {
    try {
      return await inspectOne(from, kind, name, flags)
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
  { engine, dialect }: Source,
  kind: Kind,
  name: string,
  flags: { size: boolean },
): Promise<object> {
  const documents = await dialect.documents()
  switch (kind) {
    case "container":
      return inspectContainer(documents, await engine.containers(), name, flags)
    case "image":
      return documents.image(await (await engine.images()).inspect(name))
    case "volume":
      return documents.volume(await (await engine.volumes()).details(name))
    case "network":
      return inspectNetwork(engine, dialect, name)
    case "pod":
      return podDocument(await (await engine.pods()).get(name))
    case "secret":
      return secretDocument((await engine.secrets()).get(name))
  }
}
