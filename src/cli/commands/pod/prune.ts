import { command } from "../../command.ts"
import { confirm } from "../../confirm.ts"
import { flag } from "../../flag.ts"
import { dryRunFlag } from "../../prune-filter.ts"
import { printPruneReport } from "../../prune-report.ts"
import { forEachPod } from "../../pod/for-each-pod.ts"

export default command({
  summary: "Remove all stopped pods and their containers",
  args: [],
  flags: { dryRun: dryRunFlag, force: flag.bool("Do not prompt for confirmation", { short: "f" }) },
  failureCode: 125,
  async run({ flags, engine, ...context }) {
    if (flags.dryRun)
      return printPruneReport(context, await engine.prune({ kinds: ["pods"], dryRun: true }), { dryRun: true })
    if (!flags.force && !(await confirm("This will remove all stopped pods.", context.out))) return 1
    const pods = await engine.pods()
    const ended = await pods.list({ status: ["exited", "stopped"] })
    return forEachPod(
      ended.map(({ id }) => id),
      context,
      (id) => pods.remove(id),
    )
  },
})
