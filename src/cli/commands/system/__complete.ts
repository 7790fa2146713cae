import { familiarReference, parseReference } from "../../../image/image.ts"
import type { Engine } from "../../../engine/engine.ts"
import { arg, type Completion } from "../../args.ts"
import { command } from "../../command.ts"
import { candidates, type GroupValues } from "../../completion/candidates.ts"

/** Answers the shells' completion scripts: `__complete -- WORDS…`, the last word being typed. */
export default command({
  summary: "Complete a command line",
  args: [arg.rest("WORD...")],
  flags: {},
  async run({ args: [words], engine, out }) {
    const { words: found, files } = await candidates(words, (kind, group) =>
      kind === "services" ? serviceNames(engine, group) : namesOf(engine, kind),
    )
    out.text([...found, ...(files ? [":files"] : [])].map((word) => `${word}\n`).join(""))
  },
})

/** Of the files that the line names, those of profiles that are not active as well. */
async function serviceNames(engine: Engine, group: GroupValues): Promise<string[]> {
  const [{ ComposeSession }, { PROJECT_FLAGS }] = await Promise.all([
    import("../../compose/compose-session.ts"),
    import("../../compose/project-flags.ts"),
  ])
  const defaults = Object.fromEntries(Object.entries(PROJECT_FLAGS).map(([name, { initial }]) => [name, initial]))
  const session = new ComposeSession({ engine, group: { ...defaults, ...group } }, false)
  const { name, project } = await session.projectOrName()
  const found = project ?? (await (await engine.compose()).fromContainers(name))
  return [...Object.keys(found.services), ...Object.keys(found.disabledServices)]
}

async function namesOf(engine: Engine, kind: Exclude<Completion, "services">): Promise<string[]> {
  switch (kind) {
    case "containers":
    case "running":
      return (await engine.containers()).list({ all: kind === "containers" }).map(({ name }) => name)
    case "images":
      return (await engine.images())
        .list()
        .flatMap(({ tags }) => tags.map((tag) => familiarReference(parseReference(tag))))
    case "volumes":
      return (await engine.volumes()).list().map(({ name }) => name)
    case "networks":
      return [...(await engine.networks()).list().map(({ name }) => name), "host", "none"]
    case "secrets":
      return (await engine.secrets()).list().map(({ name }) => name)
    case "pods":
      return (await (await engine.pods()).list()).map(({ name }) => name)
    case "objects":
      return [...(await namesOf(engine, "containers")), ...(await namesOf(engine, "images"))]
  }
}
