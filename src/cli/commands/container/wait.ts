import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"

export default command({
  summary: "Block until one or more containers stop, then print their exit codes",
  args: [arg.some("CONTAINER", "containers")],
  flags: {},
  async run({ args: [names], engine, ...context }) {
    const containers = await engine.containers()
    return forEachName(names, context, async (name) => String(await containers.wait(name)))
  },
})
