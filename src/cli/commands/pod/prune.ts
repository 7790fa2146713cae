import { command } from "../../command.ts"
import { confirm } from "../../confirm.ts"
import { flag } from "../../flag.ts"
import { forEachPod } from "../../pod/for-each-pod.ts"

export default command({
  summary: "Remove all stopped pods and their containers",
  args: [],
  flags: { force: flag.bool("Do not prompt for confirmation", { short: "f" }) },
  failureCode: 125,
  async run({ flags, engine, ...context }) {
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
