import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"
import { STOP_FLAGS, stopOptions } from "../../stop-flags.ts"

export default command({
  summary: "Stop one or more running containers",
  args: [arg.some("CONTAINER", "running")],
  flags: STOP_FLAGS,
  async run({ args: [names], flags, engine, ...context }) {
    const containers = await engine.containers()
    return forEachName(names, context, (name) => containers.stop(name, stopOptions(flags)))
  },
})
