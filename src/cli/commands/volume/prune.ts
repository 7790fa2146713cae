import { command } from "../../command.ts"
import { confirm } from "../../confirm.ts"
import { flag } from "../../flag.ts"
import { pruneFilter, pruneFilterFlag } from "../../prune-filter.ts"
import { printPruneReport } from "../../prune-report.ts"

export default command({
  summary: "Remove unused local volumes",
  args: [],
  flags: {
    all: flag.bool("Remove all unused volumes, not just anonymous ones", { short: "a" }),
    filter: pruneFilterFlag,
    force: flag.bool("Do not prompt for confirmation", { short: "f" }),
  },
  async run({ flags, engine, ...context }) {
    const isAsked = pruneFilter(flags.filter, ["label", "label!"])
    const what = flags.all ? "local volumes" : "anonymous local volumes"
    const question = `This will remove ${what} not used by at least one container.`
    if (!flags.force && !(await confirm(question, context.out))) return 1
    const report = await engine.prune({ kinds: ["volumes"], allVolumes: flags.all, isAsked })
    return printPruneReport(context, report)
  },
})
