import { InvalidArgument } from "../../../base/errors.ts"
import { findPredefinedNetwork } from "../../../docker/predefined-networks.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { forEachName, unlessIgnored } from "../../each.ts"
import { flag } from "../../flag.ts"
import { releaseNetwork } from "../../network/release-network.ts"

export default command({
  summary: "Remove one or more networks",
  args: [arg.some("NETWORK", "networks")],
  flags: {
    force: flag.bool("Take it from the containers that use it, and no error if it does not exist", { short: "f" }),
    time: flag.int("With --force, where containers are removed: seconds to wait for their end", { short: "t" }),
  },
  async run({ args: [names], flags, engine, dialect, ...context }) {
    const networks = await engine.networks()
    return forEachName(names, context, (name) =>
      unlessIgnored(flags.force, async () => {
        const predefined = dialect.networks.hasPredefined ? findPredefinedNetwork(name) : undefined
        if (predefined !== undefined) throw notRemovable(predefined.name)
        const network = networks.inspect(name)
        if (flags.force) await releaseNetwork(engine, network, dialect.networks.forcedRemoval, flags.time)
        await networks.remove(network)
        return name
      }),
    )
  },
})

function notRemovable(name: string): InvalidArgument {
  return new InvalidArgument(`${name} is a pre-defined network and cannot be removed`, {
    data: { object: "network", name, reason: "default" },
  })
}
