import { arg } from "../../args.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { flag } from "../../flag.ts"
import { writeResult } from "../../output/write-result.ts"

export default composeCommand({
  summary: "Export a service container's filesystem as a tar archive",
  args: [arg.one("SERVICE", "services")],
  flags: {
    index: flag.int("Index of the container if service has multiple replicas"),
    output: flag.string("Write to a file, instead of STDOUT", "string", { short: "o" }),
  },
  async run({ args: [service], flags, compose, engine, out }) {
    const name = await compose.name()
    const { container } = await (await compose.compose()).container(name, service, { index: flags.index || undefined })
    const containers = await engine.containers()
    if (!compose.isDryRun) await writeResult("export", flags.output, containers.export(container.id), out)
  },
})
