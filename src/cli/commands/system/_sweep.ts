import { arg } from "../../args.ts"
import { command } from "../../command.ts"

/** What the shell that watches a build calls when that has been killed: ends its running steps. */
export default command({
  summary: "End what a killed build was running",
  args: [arg.one("BUILD")],
  flags: {},
  async run({ args: [build], engine }) {
    await (await engine.builds()).sweepKilled(build)
  },
})
