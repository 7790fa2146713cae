import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Run the health check of a container",
  args: [arg.one("CONTAINER", "containers")],
  flags: { ignoreResult: flag.bool("Exit with 0 whatever came of the check") },
  failureCode: 125,
  async run({ args: [name], flags, engine, out }) {
    const { succeeded, status, failingStreak } = await (await engine.containers()).health.check(name)
    // podman: nothing is said of one that is well; a failure that does not count is none
    if (!succeeded) out.line(status === "starting" && failingStreak === 0 ? "starting" : "unhealthy")
    return succeeded || flags.ignoreResult ? 0 : 1
  },
})
