import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { inspectEach } from "../../inspect-each.ts"
import { DOCUMENT_FORMAT_FLAGS } from "../../output/format-flags.ts"

export default command({
  summary: "Display detailed information on one or more networks",
  args: [arg.some("NETWORK", "networks")],
  flags: DOCUMENT_FORMAT_FLAGS,
  async run({ args: [names], flags, ...context }) {
    const networks = await context.engine.networks()
    const documents = await context.dialect.documents()
    return inspectEach(names, flags, context, (name) => documents.network(networks.get(name)))
  },
})
