import { arg } from "../../args.ts"
import { chooseContainers, CHOOSING, isUp } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"
import { flag } from "../../flag.ts"
import { STOP_FLAGS, stopOptions } from "../../stop-flags.ts"

export default command({
  summary: "Restart one or more containers",
  args: [arg.some("CONTAINER", "containers", { unless: [...CHOOSING, "running"] })],
  flags: { ...STOP_FLAGS, running: flag.bool("Choose all containers that run") },
  async run({ args: [names], flags, engine, ...context }) {
    const containers = await engine.containers()
    const choice = flags.running ? { ...flags, all: names.length === 0 } : flags
    const chosen = chooseContainers(containers, names, choice, (one) => !flags.running || isUp(one))
    return forEachName(chosen, context, (name) => containers.restart(name, stopOptions(flags)))
  },
})
