import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Kill one or more running containers",
  args: [arg.some("CONTAINER", "running")],
  flags: { signal: flag.string("Signal to send to the container", "string", { short: "s" }) },
  async run({ args: [names], flags, engine, ...context }) {
    const containers = await engine.containers()
    return forEachName(names, context, (name) => containers.kill(name, flags.signal ?? "SIGKILL"))
  },
})
