import { arg } from "../../../args.ts"
import { command } from "../../../command.ts"
import { UsageError } from "../../../errors/usage-error.ts"
import { nearest } from "../../../../base/nearest.ts"

const VERBS = ["build", "import", "info", "pull", "push", "update"] as const

export default command({
  summary: "Manage the vulnerability database",
  description: `Commands:
  build    Build one from the feeds that distributions and OSV publish
  import   Take one from a file or directory
  info     Say which one is here, and how old its data are
  pull     Fetch one from a registry; 'update' is another name
  push     Bring the one that is here to a registry`,
  args: [arg.rest("COMMAND")],
  flags: {},
  async run({ args: [[verb]], out, dialect }) {
    if (verb !== undefined) {
      const near = nearest(verb, VERBS)
      throw new UsageError(
        `unknown command: skiff scan db ${verb}`,
        { hint: near === undefined ? "see: skiff scan db --help" : `did you mean skiff scan db ${near}?` },
        1,
      )
    }
    const [{ helpPages }, { findEntry }] = await Promise.all([
      import("../../../compat/help-of.ts"),
      import("../../../table.ts"),
    ])
    const found = findEntry(["scan", "db"])
    if (found !== undefined)
      out.text((await helpPages(dialect.name)).command(found.name, found.entry, (await found.entry.load()).default))
  },
})
