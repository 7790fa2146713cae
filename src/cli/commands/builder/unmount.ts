import { InvalidArgument } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Unmount working containers' root filesystems",
  args: [arg.rest("[CONTAINER...]")],
  flags: { all: flag.bool("Unmount all of the currently mounted containers", { short: "a" }) },
  async run({ args: [names], flags, engine, ...context }) {
    if (names.length > 0 === flags.all) throw new InvalidArgument("give names of working containers, or --all")
    const working = await engine.workingContainers()
    const mounted = working.list().filter(({ mountPoint }) => mountPoint !== undefined)
    return await forEachName(flags.all ? mounted.map(({ id }) => id) : names, context, async (name) => {
      const { id } = working.get(name)
      await working.unmount(id)
      return id
    })
  },
})
