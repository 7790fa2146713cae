import { arg } from "../../args.ts"
import { CHOICE_FLAGS, chooseContainers } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Make the bridges and firewall rules of containers anew",
  args: [arg.some("CONTAINER", "running", { unless: ["all", "latest"] })],
  flags: {
    all: flag.bool("Of all containers that run", { short: "a" }),
    latest: CHOICE_FLAGS.latest,
  },
  async run({ args: [given], flags, engine, ...context }) {
    const containers = await engine.containers()
    const networks = await engine.networks()
    const chosen = chooseContainers(containers, given, flags, ({ state }) => state.status === "running")
    return forEachName(chosen, context, async (name) => {
      const container = containers.get(name)
      const { sandbox } = container.options
      // in a pod the addresses are the sandbox's
      const owner = sandbox === undefined ? container : (await engine.sandboxes()).get(sandbox)
      await networks.reload([owner.id])
      return container.id
    })
  },
})
