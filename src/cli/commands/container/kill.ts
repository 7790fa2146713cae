import { arg } from "../../args.ts"
import { CHOICE_FLAGS, chooseContainers, CHOOSING, isUp } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"
import { flag } from "../../flag.ts"

const { all, cidfile, latest } = CHOICE_FLAGS

export default command({
  summary: "Kill one or more running containers",
  args: [arg.some("CONTAINER", "running", { unless: CHOOSING })],
  flags: { all, cidfile, latest, signal: flag.string("Signal to send to the container", "string", { short: "s" }) },
  async run({ args: [names], flags, engine, ...context }) {
    const containers = await engine.containers()
    const chosen = chooseContainers(containers, names, flags, isUp)
    return forEachName(chosen, context, (name) => containers.kill(name, flags.signal ?? "SIGKILL"))
  },
})
