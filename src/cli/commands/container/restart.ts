import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"
import { STOP_FLAGS, stopOptions } from "../../stop-flags.ts"

export default command({
  summary: "Restart one or more containers",
  args: [arg.some("CONTAINER", "containers")],
  flags: STOP_FLAGS,
  async run({ args: [names], flags, engine, ...context }) {
    const containers = await engine.containers()
    return forEachName(names, context, (name) => containers.restart(name, stopOptions(flags)))
  },
})
