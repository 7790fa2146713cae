import { isSkiffError } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Remove one or more manifest lists from the local store",
  args: [arg.some("LIST")],
  flags: { ignore: flag.bool("Ignore errors when a list does not exist", { short: "i" }) },
  failureCode: 125,
  async run({ args: [names], flags, engine, out, ...context }) {
    const lists = await engine.manifestLists()
    return forEachName(names, { ...context, out }, (name) => {
      try {
        const { name: full } = lists.get(name)
        lists.remove(name)
        return `Untagged: ${full}`
      } catch (error) {
        if (!flags.ignore || !isSkiffError(error, "NotFound")) throw error
        return null
      }
    })
  },
})
