import { InvalidArgument } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Remove one or more working containers",
  args: [arg.rest("[CONTAINER...]")],
  flags: { all: flag.bool("Remove all working containers", { short: "a" }) },
  async run({ args: [names], flags, engine, ...context }) {
    if (names.length > 0 === flags.all) throw new InvalidArgument("give names of working containers, or --all")
    const working = await engine.workingContainers()
    return await forEachName(flags.all ? working.list().map(({ id }) => id) : names, context, async (name) => {
      const { id } = working.get(name)
      await working.remove(id)
      return id
    })
  },
})
