import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { exists } from "../../exists.ts"

export default command({
  summary: "Check whether a manifest list exists: exit code 0 if it does, 1 if not",
  args: [arg.one("LIST")],
  flags: {},
  failureCode: 125,
  async run({ args: [name], engine }) {
    const lists = await engine.manifestLists()
    return exists(() => lists.find(name))
  },
})
