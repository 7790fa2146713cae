import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { MOUNT_FORMAT_FLAGS, printMounts, type MountRow } from "../../output/mount-list.ts"
import { refuseUnseenMounts } from "../../rootless-mounts.ts"

export default command({
  summary: "Mount an image's root filesystem",
  description:
    "Without a name, lists images that are mounted. An ordinary user mounts and sees them within skiff unshare.",
  args: [arg.rest("[IMAGE...]", "images")],
  flags: { ...MOUNT_FORMAT_FLAGS, all: flag.bool("Mount all images", { short: "a" }) },
  examples: ["ls $(skiff image mount debian:12-slim)"],
  async run({ args: [names], flags, engine, out }) {
    refuseUnseenMounts("image mount")
    if (flags.all && names.length > 0)
      throw new UsageError("when using the --all switch, you may not pass any images names or IDs")
    const images = await engine.images()
    const rows: MountRow[] = []
    if (names.length === 0 && !flags.all)
      for (const { image, mountPoint } of await images.mounted())
        rows.push({ id: image.id, names: image.tags, mountPoint })
    for (const name of flags.all ? images.list().map(({ id }) => id) : names) {
      const { id, tags } = images.get(name)
      rows.push({ id, names: flags.all ? tags : [name], mountPoint: await images.mount(id) })
    }
    const [only] = rows
    if (names.length === 1 && only !== undefined && !flags.json && !flags.format) return out.line(only.mountPoint)
    printMounts(out, rows, flags, "Repositories")
  },
})
