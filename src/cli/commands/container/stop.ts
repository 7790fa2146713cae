import { arg } from "../../args.ts"
import { chooseContainers, CHOOSING, IGNORE_FLAG, isUp } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import { forEachName, unlessIgnored } from "../../each.ts"
import { STOP_FLAGS, stopOptions } from "../../stop-flags.ts"

export default command({
  summary: "Stop one or more running containers",
  args: [arg.some("CONTAINER", "running", { unless: CHOOSING })],
  flags: { ...STOP_FLAGS, ignore: IGNORE_FLAG },
  async run({ args: [names], flags, engine, ...context }) {
    const containers = await engine.containers()
    const chosen = chooseContainers(containers, names, flags, isUp)
    return forEachName(chosen, context, (name) =>
      unlessIgnored(flags.ignore, () => containers.stop(name, stopOptions(flags))),
    )
  },
})
