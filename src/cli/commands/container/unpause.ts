import { arg } from "../../args.ts"
import { CHOICE_FLAGS, chooseContainers, CHOOSING } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"

export default command({
  summary: "Unpause all processes within one or more containers",
  args: [arg.some("CONTAINER", "running", { unless: CHOOSING })],
  flags: CHOICE_FLAGS,
  async run({ args: [names], flags, engine, ...context }) {
    const containers = await engine.containers()
    const chosen = chooseContainers(containers, names, flags, ({ state }) => state.status === "paused")
    return forEachName(chosen, context, (name) => containers.unpause(name))
  },
})
