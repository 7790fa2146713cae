import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"

export default command({
  summary: "Remove snapshots of a volume",
  args: [arg.one("VOLUME", "volumes"), arg.some("SNAPSHOT")],
  flags: {},
  async run({ args: [volume, names], engine, ...context }) {
    const { snapshots } = await engine.volumes()
    return forEachName(names, context, (name) => snapshots.remove(volume, name))
  },
})
