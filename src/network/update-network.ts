import type { Database } from "../base/database.ts"
import { InvalidArgument, NotFound } from "../base/errors.ts"
import type { Events } from "../event/event.ts"
import { isIpAddress } from "../spec/docker/ip-address.ts"
import { findNetwork, writeNetworkOptions } from "./network-records.ts"
import type { Network, NetworkChanges } from "./network.ts"

/** See `Networks.update`. Of two that change it at once, both changes are kept. */
export function updateNetwork(
  { db, events }: { db: Database; events?: Pick<Events, "append"> | undefined },
  { id, name }: Network,
  { addDns = [], dropDns = [], allow, rate }: NetworkChanges,
): Network {
  for (const server of [...addDns, ...dropDns])
    if (!isIpAddress(server))
      throw new InvalidArgument(`invalid name server "${server}"`, {
        field: "options.dns",
        hint: "expected an IP address",
      })
  return db.transaction(() => {
    const network = findNetwork(db, id)
    if (network === undefined) throw new NotFound(`network ${name} not found`, { data: { object: "network", name } })
    const servers = changed(network, addDns, dropDns)
    const options = {
      ...network.options,
      dns: { ...network.options.dns, servers },
      ...(allow !== undefined && { allow: allow ?? undefined }),
      ...(rate !== undefined && { rate: Object.keys(rate).length === 0 ? undefined : rate }),
    }
    writeNetworkOptions(db, { id, options })
    events?.append({ type: "network", action: "update", actor: { id, attributes: { name, type: network.driver } } })
    return { ...network, options }
  })
}

/** What is there already is not added twice; what is not there is dropped already. */
function changed({ options }: Network, add: readonly string[], drop: readonly string[]): string[] {
  const servers = new Set(options.dns?.servers)
  for (const server of drop) servers.delete(server)
  for (const server of add) servers.add(server)
  return [...servers]
}
