import { InvalidArgument } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { helpPages } from "../../compat/help-of.ts"
import { nearest } from "../../../base/nearest.ts"
import { findEntry, GROUPS, topLevelNames } from "../../table.ts"

export default command({
  summary: "Help about any command",
  args: [arg.rest("[COMMAND]")],
  flags: {},
  async run({ args: [words], out, dialect }) {
    const pages = await helpPages(dialect.name)
    const [first] = words
    const found = findEntry(words)
    if (first === undefined) out.text(await pages.overview())
    else if (found) out.text(pages.command(found.name, found.entry, (await found.entry.load()).default))
    else if (first in GROUPS) out.text(await pages.group(first))
    else {
      const near = nearest(first, topLevelNames())
      throw new InvalidArgument(`unknown help topic: ${words.join(" ")}`, {
        hint: near === undefined ? "see: skiff --help" : `did you mean ${near}?`,
      })
    }
  },
})
