import { command } from "../../command.ts"
import { confirm } from "../../confirm.ts"
import { flag } from "../../flag.ts"
import { dryRunFlag, pruneFilter, pruneFilterFlag } from "../../prune-filter.ts"

export default command({
  summary: "Remove all unused networks",
  args: [],
  flags: {
    dryRun: dryRunFlag,
    filter: pruneFilterFlag,
    force: flag.bool("Do not prompt for confirmation", { short: "f" }),
  },
  async run({ flags: { dryRun, filter, force }, engine, out, dialect }) {
    const isAsked = pruneFilter(filter, ["until", "label", "label!"])
    const question = "This will remove all custom networks not used by at least one container."
    if (!force && !dryRun && !(await confirm(question, out))) return 1
    const { networks } = await engine.prune({ kinds: ["networks"], isAsked, dryRun })
    if (networks.length === 0) return 0
    if (dialect.networks.prunedHeading) out.line(dryRun ? "Would delete Networks:" : "Deleted Networks:")
    out.line(networks.join("\n"))
    return 0
  },
})
