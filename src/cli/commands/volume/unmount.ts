import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"
import { BY_HAND } from "./mount.ts"

export default command({
  summary: "Unmount volumes that were mounted by volume mount",
  args: [arg.some("VOLUME", "volumes")],
  flags: {},
  async run({ args: [names], engine, ...context }) {
    const volumes = await engine.volumes()
    return forEachName(names, context, async (name) => {
      const volume = volumes.get(name)
      await volumes.release(name, BY_HAND)
      return volume.name
    })
  },
})
