import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"

export default command({
  summary: "Pause all processes within one or more containers",
  args: [arg.some("CONTAINER", "running")],
  flags: {},
  async run({ args: [names], engine, ...context }) {
    const containers = await engine.containers()
    return forEachName(names, context, (name) => containers.pause(name))
  },
})
