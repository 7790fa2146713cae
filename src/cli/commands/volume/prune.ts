import { command } from "../../command.ts"
import { confirm } from "../../confirm.ts"
import { flag } from "../../flag.ts"
import { dryRunFlag, pruneFilterFlag } from "../../prune-filter.ts"
import { printPruneReport } from "../../prune-report.ts"
import { asksForAll, volumeFilter } from "../../volume-filter.ts"

export default command({
  summary: "Remove unused local volumes",
  args: [],
  flags: {
    all: flag.bool("Remove all unused volumes, not just anonymous ones", { short: "a" }),
    dryRun: dryRunFlag,
    filter: pruneFilterFlag,
    force: flag.bool("Do not prompt for confirmation", { short: "f" }),
  },
  async run({ flags, engine, ...context }) {
    const { dryRun, filter } = flags
    const volumes = await engine.volumes()
    // what is pruned is not used
    const isAskedVolume = volumeFilter(filter, { get: volumes.get, isUsed: () => false })
    const all = flags.all || asksForAll(filter)
    const what = all ? "local volumes" : "anonymous local volumes"
    const question = `This will remove ${what} not used by at least one container.`
    if (!flags.force && !dryRun && !(await confirm(question, context.out))) return 1
    const report = await engine.prune({ kinds: ["volumes"], allVolumes: all, isAskedVolume, dryRun })
    return printPruneReport(context, report, { dryRun, namesOnly: !context.dialect.volumes.prunedHeading })
  },
})
