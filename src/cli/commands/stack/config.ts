import { command } from "../../command.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { stackProject } from "../../stack/stack-objects.ts"

export default command({
  summary: "Write a stack file as it is understood, after merges and interpolations",
  args: [],
  flags: {
    composeFile: flag.strings("Path to a stack file, or - for standard input", "strings", { short: "c" }),
  },
  async run({ flags, engine, out }) {
    if (flags.composeFile.length === 0) throw new UsageError("name the stack file by --compose-file")
    const project = await stackProject(engine, flags.composeFile, undefined)
    out.text(await (await engine.compose()).render(project, "yaml"))
  },
})
