import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Remove one or more volumes",
  args: [arg.some("VOLUME", "volumes")],
  flags: { force: flag.bool("Force the removal of one or more volumes", { short: "f" }) },
  async run({ args: [names], flags, engine, ...context }) {
    const volumes = await engine.volumes()
    return forEachName(names, context, (name) => volumes.remove(name, flags))
  },
})
