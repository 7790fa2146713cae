import { arg } from "../../args.ts"
import { command } from "../../command.ts"

/** What the shell that watches a build calls when that has been killed: ends its running steps. */
export default command({
  summary: "Reconcile the end of a killed build",
  args: [arg.one("WORKER")],
  flags: {},
  async run({ args: [executor], engine }) {
    await (await engine.builds()).sweepExecutor(executor)
  },
})
