import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"

export default command({
  summary: "Take volumes down that were mounted: of which there is nothing to take down",
  args: [arg.some("VOLUME", "volumes")],
  flags: {},
  async run({ args: [names], engine, ...context }) {
    const volumes = await engine.volumes()
    return forEachName(names, context, (name) => volumes.get(name).name)
  },
})
