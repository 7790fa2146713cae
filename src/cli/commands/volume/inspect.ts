import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { inspectEach } from "../../inspect-each.ts"
import { DOCUMENT_FORMAT_FLAGS } from "../../output/format-flags.ts"

export default command({
  summary: "Display detailed information on one or more volumes",
  args: [arg.some("VOLUME", "volumes")],
  flags: DOCUMENT_FORMAT_FLAGS,
  async run({ args: [names], flags, ...context }) {
    const volumes = await context.engine.volumes()
    const documents = await context.dialect.documents()
    return inspectEach(names, flags, context, (name) => documents.volume(volumes.get(name)))
  },
})
