import { arg } from "../../args.ts"
import { CHOICE_FLAGS, chooseContainers } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { refuseUnseenMounts } from "../../rootless-mounts.ts"

export default command({
  summary: "Unmount working container's root filesystem",
  args: [arg.rest("[CONTAINER...]", "containers")],
  flags: {
    all: flag.bool("Unmount all of the currently mounted containers", { short: "a" }),
    force: flag.bool("Force the complete unmount of the specified mounted containers", { short: "f" }),
    latest: CHOICE_FLAGS.latest,
  },
  async run({ args: [names], flags, engine, ...context }) {
    refuseUnseenMounts("unmount")
    if (names.length === 0 && !flags.all && !flags.latest) throw new UsageError("give names of containers, or --all")
    const containers = await engine.containers()
    const chosen = chooseContainers(containers, names, { all: flags.all, latest: flags.latest })
    return await forEachName(chosen, context, async (name) => {
      const { id } = containers.get(name)
      const wasMounted = await containers.unmount(id)
      // of all, those that were
      return wasMounted || !flags.all ? (flags.all ? id : name) : null
    })
  },
})
