import { InvalidArgument } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { commandHelp, groupHelp, overview } from "../../help.ts"
import { nearest } from "../../../base/nearest.ts"
import { findEntry, GROUPS, topLevelNames } from "../../table.ts"

export default command({
  summary: "Help about any command",
  args: [arg.rest("[COMMAND]")],
  flags: {},
  async run({ args: [words], out }) {
    const [first] = words
    const found = findEntry(words)
    if (first === undefined) out.text(await overview())
    else if (found) out.text(commandHelp(found.name, found.entry, (await found.entry.load()).default))
    else if (first in GROUPS) out.text(await groupHelp(first))
    else {
      const near = nearest(first, topLevelNames())
      throw new InvalidArgument(`unknown help topic: ${words.join(" ")}`, {
        hint: near === undefined ? "see: skiff --help" : `did you mean ${near}?`,
      })
    }
  },
})
