import { command } from "../../command.ts"
import { confirm } from "../../confirm.ts"
import { forEachName } from "../../each.ts"
import { flag } from "../../flag.ts"
import { pruneFilter, pruneFilterFlag } from "../../prune-filter.ts"

export default command({
  summary: "Remove all stopped containers",
  args: [],
  flags: { filter: pruneFilterFlag, force: flag.bool("Do not prompt for confirmation", { short: "f" }) },
  async run({ flags, engine, ...context }) {
    const isAsked = pruneFilter(flags.filter, ["until", "label", "label!"])
    if (!flags.force && !(await confirm("This will remove all stopped containers.", context.out))) return 1
    const containers = await engine.containers()
    const stopped = containers
      .list({ all: true, status: ["exited", "created"] })
      .filter(({ createdAt, options: { labels } }) => isAsked({ createdAt, labels }))
    if (stopped.length === 0) return 0
    context.out.line("Deleted Containers:")
    return forEachName(
      stopped.map(({ id }) => id),
      context,
      (id) => containers.remove(id),
    )
  },
})
