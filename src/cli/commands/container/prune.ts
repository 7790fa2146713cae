import { command } from "../../command.ts"
import { confirm } from "../../confirm.ts"
import { flag } from "../../flag.ts"
import { dryRunFlag, pruneFilter, pruneFilterFlag } from "../../prune-filter.ts"
import { printPruneReport } from "../../prune-report.ts"

export default command({
  summary: "Remove all stopped containers",
  args: [],
  flags: {
    dryRun: dryRunFlag,
    filter: pruneFilterFlag,
    force: flag.bool("Do not prompt for confirmation", { short: "f" }),
  },
  async run({ flags, engine, ...context }) {
    const isAsked = pruneFilter(flags.filter, ["until", "label", "label!"])
    if (!flags.force && !flags.dryRun && !(await confirm("This will remove all stopped containers.", context.out)))
      return 1
    const { dryRun } = flags
    const report = await engine.prune({ kinds: ["containers"], isAsked, dryRun })
    return printPruneReport(context, report, { dryRun, namesOnly: context.dialect.results.prunesNamesOnly })
  },
})
