import { arg } from "../../args.ts"
import { CHOICE_FLAGS, chooseContainers, CHOOSING, isDown } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"

const { all, latest } = CHOICE_FLAGS

export default command({
  summary: "Make all of a container but its program, which waits for the start",
  args: [arg.some("CONTAINER", "containers", { unless: CHOOSING })],
  flags: { all, latest },
  async run({ args: [names], flags, engine, ...context }) {
    const containers = await engine.containers()
    const chosen = chooseContainers(containers, names, flags, isDown)
    return forEachName(chosen, context, async (name) => {
      // of all, those that are initialized stay so
      const { state } = containers.get(name)
      if (flags.all && state.status === "created" && state.initialized !== undefined) return
      await containers.init(name)
    })
  },
})
