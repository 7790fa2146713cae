import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { refuseUnseenMounts } from "../../rootless-mounts.ts"

export default command({
  summary: "Unmount an image's root filesystem",
  args: [arg.rest("[IMAGE...]", "images")],
  flags: {
    all: flag.bool("Unmount all of the currently mounted images", { short: "a" }),
    force: flag.bool("Force the complete unmount of the specified mounted images", { short: "f" }),
  },
  async run({ args: [names], flags, engine, ...context }) {
    refuseUnseenMounts("image unmount")
    if (names.length > 0 === flags.all) throw new UsageError("give names of images, or --all")
    const images = await engine.images()
    const chosen = flags.all ? (await images.mounted()).map(({ image }) => image.id) : names
    return await forEachName(chosen, context, async (name) => {
      const { id } = images.get(name)
      if (!(await images.unmount(id)) && !flags.force) return null
      return context.dialect.results.imageId(id)
    })
  },
})
