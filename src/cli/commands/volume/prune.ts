import { isSkiffError } from "../../../base/errors.ts"
import { command } from "../../command.ts"
import { confirm } from "../../confirm.ts"
import { flag } from "../../flag.ts"
import { pruneFilter, pruneFilterFlag } from "../../prune-filter.ts"

export default command({
  summary: "Remove unused local volumes",
  args: [],
  flags: {
    all: flag.bool("Remove all unused volumes, not just anonymous ones", { short: "a" }),
    filter: pruneFilterFlag,
    force: flag.bool("Do not prompt for confirmation", { short: "f" }),
  },
  async run({ flags, engine, out }) {
    const isAsked = pruneFilter(flags.filter, ["label", "label!"])
    const what = flags.all ? "local volumes" : "anonymous local volumes"
    if (!flags.force && !(await confirm(`This will remove ${what} not used by at least one container.`, out))) return 1
    const volumes = await engine.volumes()
    const removed: string[] = []
    for (const volume of volumes.list()) {
      const { name, anonymous } = volume
      if ((!anonymous && !flags.all) || !isAsked(volume)) continue
      try {
        await volumes.remove(name)
        removed.push(name)
      } catch (error) {
        if (!isSkiffError(error, "FailedPrecondition")) throw error // in use: it stays
      }
    }
    if (removed.length > 0) out.line(`Deleted Volumes:\n${removed.join("\n")}`)
    return 0
  },
})
