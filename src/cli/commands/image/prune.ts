import { command } from "../../command.ts"
import { confirm } from "../../confirm.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { dryRunFlag, pruneFilter, pruneFilterFlag } from "../../prune-filter.ts"
import { printPruneReport } from "../../prune-report.ts"

export default command({
  summary: "Remove unused images",
  args: [],
  flags: {
    all: flag.bool("Remove all unused images, not just dangling ones", { short: "a" }),
    buildCache: flag.bool("Remove build cache, too"),
    dryRun: dryRunFlag,
    external: flag.bool("Remove images that only working containers use: refused here, they are in use"),
    filter: pruneFilterFlag,
    force: flag.bool("Do not prompt for confirmation", { short: "f" }),
  },
  async run({ flags, engine, ...context }) {
    const { all, buildCache, dryRun, external, filter } = flags
    if (external)
      throw new UsageError("images of working containers are in use: without them they could not be committed", {
        hint: "remove those first: skiff builder rm --all",
      })
    const isAsked = pruneFilter(filter, ["until", "label", "label!"])
    const what = all ? "all images without at least one container associated to them" : "all dangling images"
    const cache = buildCache ? " It will remove build cache, too." : ""
    if (!flags.force && !dryRun && !(await confirm(`This will remove ${what}.${cache}`, context.out))) return 1
    const report = await engine.prune({
      kinds: buildCache ? ["images", "cache"] : ["images"],
      all,
      dryRun,
      ...(filter.length > 0 && { isAsked }),
    })
    return printPruneReport(context, report, { dryRun, namesOnly: context.dialect.results.prunesNamesOnly })
  },
})
