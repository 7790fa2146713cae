import { shortId } from "../../../base/short-id.ts"
import { arg } from "../../args.ts"
import { CHOICE_FLAGS, chooseContainers } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { MOUNT_FORMAT_FLAGS, printMounts, type MountRow } from "../../output/mount-list.ts"
import { refuseUnseenMounts } from "../../rootless-mounts.ts"

export default command({
  summary: "Mount a container's root filesystem",
  description:
    "Without a name, lists containers that are mounted. An ordinary user mounts and sees them within skiff unshare.",
  args: [arg.rest("[CONTAINER...]", "containers")],
  flags: {
    ...MOUNT_FORMAT_FLAGS,
    all: flag.bool("Mount all containers", { short: "a" }),
    latest: CHOICE_FLAGS.latest,
    noTrunc: flag.bool("Do not truncate output", { aliases: ["notruncate"] }),
  },
  examples: ["ls $(skiff mount web)", "skiff unshare sh -c 'ls $(skiff mount web)'"],
  async run({ args: [names], flags, engine, out }) {
    refuseUnseenMounts("mount")
    const containers = await engine.containers()
    const isList = names.length === 0 && !flags.all && !flags.latest
    const chosen = isList
      ? containers.list({ all: true }).map(({ id }) => id)
      : chooseContainers(containers, names, { all: flags.all, latest: flags.latest })
    const rows: MountRow[] = []
    for (const name of chosen) {
      const { id, name: own } = containers.get(name)
      const mountPoint = isList ? await containers.mountPoint(id) : await containers.mount(id)
      const shown = flags.noTrunc ? id : shortId(id)
      if (mountPoint !== undefined)
        rows.push({ id: flags.json || flags.format ? id : shown, names: isList ? [shown, own] : [own], mountPoint })
    }
    const [only] = rows
    if (!isList && only !== undefined && chosen.length === 1 && !flags.json && !flags.format)
      return out.line(only.mountPoint)
    printMounts(out, rows, flags)
  },
})
