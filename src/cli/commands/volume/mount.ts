import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"

export default command({
  summary: "Print where the files of volumes are: nothing has to be mounted for it",
  args: [arg.some("VOLUME", "volumes")],
  flags: {},
  async run({ args: [names], engine, ...context }) {
    const volumes = await engine.volumes()
    return forEachName(names, context, (name) => volumes.get(name).mountpoint)
  },
})
