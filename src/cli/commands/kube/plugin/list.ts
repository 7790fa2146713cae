import { InvalidArgument, NotFound } from "../../../../base/errors.ts"
import { command } from "../../../command.ts"
import { flag } from "../../../flag.ts"
import { findPlugins } from "../../../kube/plugins.ts"

export default command({
  summary: "List all visible plugin executables on a user's PATH",
  args: [],
  flags: { nameOnly: flag.bool("If true, display only the binary name of each plugin, rather than its full path") },
  async run({ flags, out }) {
    const plugins = findPlugins(process.env.PATH ?? "")
    if (plugins.length === 0) throw new NotFound("unable to find any kubectl plugins in your PATH")
    out.line("The following compatible plugins are available:\n")
    for (const { path, name, warning } of plugins) {
      out.line(flags.nameOnly ? name : path)
      if (warning !== undefined) out.note(`  - warning: ${warning}`)
    }
    const warned = plugins.filter(({ warning }) => warning !== undefined).length
    if (warned === 1) throw new InvalidArgument("one plugin warning was found")
    if (warned > 1) throw new InvalidArgument(`${warned} plugin warnings were found`)
  },
})
