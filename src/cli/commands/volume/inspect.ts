import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { inspectEach } from "../../inspect-each.ts"
import { DOCUMENT_FORMAT_FLAGS } from "../../output/format-flags.ts"

export default command({
  summary: "Display detailed information on one or more volumes",
  args: [arg.some("VOLUME", "volumes", { unless: ["all"] })],
  flags: {
    all: flag.bool("Inspect all volumes", { short: "a" }),
    ...DOCUMENT_FORMAT_FLAGS,
    size: flag.bool("Display what it takes on disk, and how many containers have it", { short: "s" }),
  },
  async run({ args: [given], flags, ...context }) {
    if (flags.all && given.length > 0) throw new UsageError("no arguments are needed with --all")
    const volumes = await context.engine.volumes()
    const containers = flags.size ? await context.engine.containers() : undefined
    const names = flags.all ? volumes.list().map(({ name }) => name) : given
    const documents = await context.dialect.documents()
    return inspectEach(names, flags, context, async (name) => {
      const details = await volumes.details(name)
      if (containers === undefined) return documents.volume(details)
      const { bytes } = await volumes.usage(name)
      const refCount = containers.list({ all: true, volume: [name] }).length
      return documents.volume(details, { sizeBytes: bytes, refCount })
    })
  },
})
