/** What the records say of an endpoint that may not send everywhere. */
import type { Database } from "../../base/database.ts"
import { hasResolver, isDefaultBridge } from "../dns/has-resolver.ts"
import { macOfAddress, parseIpv4 } from "../ipv4.ts"
import { findNetwork } from "../network-records.ts"
import type { Network } from "../network.ts"
import type { EndpointRow } from "../records.ts"
import type { Confined, HeardAddress } from "./elements.ts"
import { EgressRecords, type HeardRow } from "./records.ts"
import { haveNames, parseRules, rulesText } from "./rules.ts"

/** Undefined: it sends where it likes. `network`: where the endpoint is, if it is at hand. */
export function confinedOf(
  db: Database,
  endpoint: Pick<EndpointRow, "containerId" | "networkId" | "hostInterface" | "address" | "refused">,
  network: Network | undefined = findNetwork(db, endpoint.networkId),
): Confined | undefined {
  if (network === undefined) return undefined
  const { containerId, networkId, hostInterface, address, refused } = endpoint
  const records = new EgressRecords(db)
  const own = records.rules(containerId, networkId)
  const net = network.options.allow === undefined ? undefined : rulesText(network.options.allow)
  // what is refused alone is answered by the bridge too
  if (own === undefined && net === undefined && refused === "") return undefined
  const now = Date.now()
  return {
    hostInterface,
    bridgeMac: macOfAddress(parseIpv4(network.gateway)),
    rules: { ...(own !== undefined && { own }), ...(net !== undefined && { net }) },
    ...resolverOf(network, own, address),
    heard: heardAddresses(records.heard(containerId, networkId, now), now),
  }
}

/** On the default network, which has none, who is allowed names has one for himself. */
function resolverOf(network: Network, own: string | undefined, address: number): Pick<Confined, "resolvers" | "asker"> {
  const isNamed = own !== undefined && isDefaultBridge(network) && haveNames(parseRules(own))
  if (!isNamed) return { resolvers: hasResolver(network) ? [network.gateway] : [] }
  return { resolvers: [network.gateway], asker: { address, gateway: network.gateway } }
}

/** Of each address its names, until the last of them lapses. */
export function heardAddresses(rows: readonly HeardRow[], now: number): HeardAddress[] {
  return [...Map.groupBy(rows, ({ address }) => address)].map(([address, own]) => ({
    address,
    names: own.map(({ name }) => name),
    timeoutMs: Math.max(...own.map(({ expiresAt }) => expiresAt)) - now,
  }))
}
