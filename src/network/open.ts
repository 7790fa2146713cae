/** All networks of one store: the records and their driver. */
import type { Database } from "../base/database.ts"
import { FailedPrecondition, NotFound } from "../base/errors.ts"
import type { Events } from "../event/event.ts"
import { BridgeDriver } from "./bridge-driver.ts"
import { defaultNetwork } from "./default-network.ts"
import { hasResolver } from "./dns/has-resolver.ts"
import { HostSide } from "./host-side.ts"
import { kernelNames } from "./names.ts"
import { findNetwork, listNetworks } from "./network-records.ts"
import type { Network, NetworkDriver, Networks } from "./network.ts"
import { removeAll } from "./remove-all.ts"
import { EndpointRecords } from "./records.ts"
import { RootlessUplink } from "./rootless-uplink.ts"

/** What networks stand on; `engine/` gives it. */
export interface NetworksDeps {
  /** Migrated with `networkSchema`. */
  db: Database
  /** Volatile directory of the store. */
  runRoot: string
  /**
   * Path of the network namespace that holds bridges and rules, with pasta for the way to the host: that of an ordinary user's
   * pause process, or one of root's own (own-netns.ts). Undefined: the host's own.
   */
  netns?: string
  /** Starts the resolver of names unless it runs. Without it nobody answers. */
  wakeResolver?: () => void
  /** Hears that a network was made. */
  events?: Pick<Events, "append">
}

/** Opens nothing before it is used. */
export function openNetworks(deps: NetworksDeps): Networks {
  const { netns } = deps
  const names = kernelNames(deps.runRoot, netns !== undefined)
  const host = new HostSide(netns)
  const rootless = netns === undefined ? undefined : new RootlessUplink({ runRoot: deps.runRoot, netns })
  const bridges = new BridgeDriver({ db: deps.db, runRoot: deps.runRoot, names, host, rootless })
  const driverOf = ({ name, driver }: Network): NetworkDriver => {
    if (driver === "bridge") return bridges
    throw new FailedPrecondition(`network "${name}" has the driver ${driver}, which this version does not have`)
  }
  const setup: Networks["setup"] = async (network, endpoint, options) => {
    if (!hasResolver(network)) return driverOf(network).setup(network, endpoint, options)
    const { setupNamed } = await import("./dns/setup-named.ts")
    return setupNamed({ ...deps, driver: driverOf(network) }, network, endpoint, options)
  }
  const makers = { db: deps.db, names, host, rootless: netns !== undefined, events: deps.events }
  return {
    list: () => listNetworks(deps.db),
    get(name: string): Network {
      const found = findNetwork(deps.db, name)
      if (found !== undefined) return found
      if (name === "bridge" || name === "default")
        return defaultNetwork(deps.db, names, { rootless: netns !== undefined, events: deps.events })
      throw new NotFound(`network ${name} not found`, {
        hint: { do: "listNetworks" },
        data: { object: "network", name },
      })
    },
    create: async (wanted) => (await import("./create-network.ts")).createNetwork(makers, wanted),
    remove: async (network) => {
      await (await import("./create-network.ts")).removeNetwork(makers, network)
      if (network.driver === "bridge") await bridges.forget(network)
    },
    warmUp: () => void host.sockets().catch(() => {}),
    reserve: (network, endpoint, options) => driverOf(network).reserve(network, endpoint, options),
    setup,
    traffic: (network, containerId) => driverOf(network).traffic(network, containerId),
    changePorts: (network, containerId, changes, options) =>
      driverOf(network).changePorts(network, containerId, changes, options),
    setRate: (network, containerId, rate) => driverOf(network).setRate(network, containerId, rate),
    teardown: (network, containerId, status) => driverOf(network).teardown(network, containerId, status),
    rename: (network, containerId, called) => new EndpointRecords(deps.db).rename(containerId, network.id, called),
    sweep: (alive, options) => bridges.sweep(alive, options),
    observe: async (containerId, path) =>
      (await import("./observe.ts")).observeNetwork({ host, names }, containerId, path),
    removeAll: () => removeAll({ ...deps, names, host, rootless }),
  }
}
