import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { inspectEach } from "../../inspect-each.ts"
import { DOCUMENT_FORMAT_FLAGS } from "../../output/format-flags.ts"

export default command({
  summary: "Display detailed information on one or more volumes",
  args: [arg.some("VOLUME", "volumes", { unless: ["all"] })],
  flags: { all: flag.bool("Inspect all volumes", { short: "a" }), ...DOCUMENT_FORMAT_FLAGS },
  async run({ args: [given], flags, ...context }) {
    if (flags.all && given.length > 0) throw new UsageError("no arguments are needed with --all")
    const volumes = await context.engine.volumes()
    const names = flags.all ? volumes.list().map(({ name }) => name) : given
    const documents = await context.dialect.documents()
    return inspectEach(names, flags, context, (name) => documents.volume(volumes.get(name)))
  },
})
