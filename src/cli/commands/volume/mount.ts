import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"
import { refuseUnseenMounts } from "../../rootless-mounts.ts"

/** Who holds what people mount by hand. */
export const BY_HAND = "volume-mount"

export default command({
  summary: "Mount volumes, and print where their files are",
  args: [arg.some("VOLUME", "volumes")],
  flags: {},
  async run({ args: [names], engine, ...context }) {
    const volumes = await engine.volumes()
    return forEachName(names, context, async (name) => {
      if (volumes.get(name).isMounted) refuseUnseenMounts("volume mount")
      return volumes.hold(name, BY_HAND, { again: true })
    })
  },
})
