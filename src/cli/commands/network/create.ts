import { isSkiffError } from "../../../base/errors.ts"
import type { Network, Networks, NetworkWanted } from "../../../network/network.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { UsageError, type Misuse } from "../../errors/usage-error.ts"
import { NETWORK_CREATE_FLAGS } from "../../network/create-flags.ts"
import { wantedNetwork } from "../../network/wanted-network.ts"

export default command({
  summary: "Create a network",
  args: [arg.optional("NETWORK")],
  flags: NETWORK_CREATE_FLAGS,
  async run({ args: [name], flags, engine, out, dialect }) {
    const habits = dialect.networks
    if (name === undefined && habits.namePrefix === undefined) throw withoutName()
    const wanted = wantedNetwork(name ?? "", flags, habits)
    const networks = await engine.networks()
    if (name === undefined) return out.line(habits.created(await createUnnamed(networks, wanted, habits.namePrefix)))
    try {
      out.line(habits.created(await networks.create(wanted)))
    } catch (error) {
      const isThere = isSkiffError(error, "AlreadyExists") && error.data.object === "network"
      if (!flags.ignore || !isThere) throw error
      out.line(habits.created(networks.get(name)))
    }
  },
})

function withoutName(): UsageError {
  const data = { usage: "words" satisfies Misuse, least: 1, most: 1, given: 0 }
  return new UsageError("'skiff network create' requires 1 argument", { data }, 1)
}

/** `network1`, or the first that is free; another process may take it meanwhile. */
async function createUnnamed(networks: Networks, wanted: NetworkWanted, prefix = "network"): Promise<Network> {
  for (let number = 1; ; number++) {
    const name = `${prefix}${number}`
    if (networks.list().some((network) => network.name === name)) continue
    try {
      return await networks.create({ ...wanted, name })
    } catch (error) {
      if (!isSkiffError(error, "AlreadyExists") || error.data.object !== "network") throw error
    }
  }
}
