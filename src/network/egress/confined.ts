/** What the records say of an endpoint that may not send everywhere. */
import type { Database } from "../../base/database.ts"
import { hasResolver } from "../dns/has-resolver.ts"
import { macOfAddress, parseIpv4 } from "../ipv4.ts"
import { findNetwork } from "../network-records.ts"
import type { Network } from "../network.ts"
import type { EndpointRow } from "../records.ts"
import type { Confined, HeardAddress } from "./elements.ts"
import { EgressRecords, type HeardRow } from "./records.ts"
import { rulesText } from "./rules.ts"

/** Undefined: it sends where it likes. `network`: where the endpoint is, if it is at hand. */
export function confinedOf(
  db: Database,
  endpoint: Pick<EndpointRow, "containerId" | "networkId" | "hostInterface" | "refused">,
  network: Network | undefined = findNetwork(db, endpoint.networkId),
): Confined | undefined {
  if (network === undefined) return undefined
  const { containerId, networkId, hostInterface, refused } = endpoint
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
    resolvers: hasResolver(network) ? [network.gateway] : [],
    heard: heardAddresses(records.heard(containerId, networkId, now), now),
  }
}

/** Of each address its names, until the last of them lapses. */
export function heardAddresses(rows: readonly HeardRow[], now: number): HeardAddress[] {
  return [...Map.groupBy(rows, ({ address }) => address)].map(([address, own]) => ({
    address,
    names: own.map(({ name }) => name),
    timeoutMs: Math.max(...own.map(({ expiresAt }) => expiresAt)) - now,
  }))
}
