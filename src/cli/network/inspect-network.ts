import type { NetworkEndpoint } from "../../docker/network-document.ts"
import { findPredefinedNetwork, predefinedNetworkDocument } from "../../docker/predefined-networks.ts"
import type { Engine } from "../../engine/engine.ts"
import type { Network } from "../../network/network.ts"
import type { Dialect } from "../compat/dialect.ts"
import { endpointsOn } from "./users.ts"

/** The document of a network, by name or id, with whoever is on it. Throws NotFound. */
export async function inspectNetwork(engine: Engine, dialect: Dialect, name: string): Promise<object> {
  const predefined = dialect.networks.hasPredefined ? findPredefinedNetwork(name) : undefined
  if (predefined !== undefined) return predefinedNetworkDocument(predefined)
  const networks = await engine.networks()
  const documents = await dialect.documents()
  const network = networks.get(name)
  return documents.network(network, await endpoints(engine, network))
}

async function endpoints(engine: Engine, network: Network): Promise<readonly NetworkEndpoint[]> {
  const [containers, sandboxes] = await Promise.all([engine.containers(), engine.sandboxes()])
  return endpointsOn({ containers, sandboxes }, network)
}
