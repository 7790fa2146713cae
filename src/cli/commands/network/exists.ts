import { findPredefinedNetwork } from "../../../docker/predefined-networks.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { exists } from "../../exists.ts"

export default command({
  summary: "Check whether a network exists: exit code 0 if it does, 1 if not",
  args: [arg.one("NETWORK", "networks")],
  flags: {},
  failureCode: 125,
  async run({ args: [name], engine, dialect }) {
    if (dialect.networks.hasPredefined && findPredefinedNetwork(name) !== undefined) return 0
    const networks = await engine.networks()
    return exists(() => networks.inspect(name))
  },
})
