/** All networks of one store: the records and their driver. */
import type { Database } from "../base/database.ts"
import { NotFound } from "../base/errors.ts"
import type { Events } from "../event/event.ts"
import { BridgeDriver } from "./bridge-driver.ts"
import { defaultNetwork, listNetworks } from "./default-network.ts"
import { HostSide } from "./host-side.ts"
import { kernelNames } from "./names.ts"
import type { Network, Networks } from "./network.ts"
import { removeAll } from "./remove-all.ts"
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
  /** Hears that a network was made. */
  events?: Pick<Events, "append">
}

/** Opens nothing before it is used. */
export function openNetworks(deps: NetworksDeps): Networks {
  const { netns } = deps
  const names = kernelNames(deps.runRoot, netns !== undefined)
  const host = new HostSide(netns)
  const rootless = netns === undefined ? undefined : new RootlessUplink({ runRoot: deps.runRoot, netns })
  const driver = new BridgeDriver({ db: deps.db, runRoot: deps.runRoot, names, host, rootless })
  return {
    list: () => listNetworks(deps.db),
    get(name: string): Network {
      const found = listNetworks(deps.db).find((network) => network.name === name || network.id === name)
      if (found !== undefined) return found
      if (name === "bridge" || name === "default")
        return defaultNetwork(deps.db, names, { rootless: netns !== undefined, events: deps.events })
      throw new NotFound(`network ${name} not found`, {
        hint: "this version has the networks bridge, host and none",
        data: { object: "network", name },
      })
    },
    warmUp: () => void host.sockets().catch(() => {}),
    reserve: (network, endpoint, options) => driver.reserve(network, endpoint, options),
    setup: (network, endpoint, options) => driver.setup(network, endpoint, options),
    traffic: (network, containerId) => driver.traffic(network, containerId),
    changePorts: (network, containerId, changes, options) => driver.changePorts(network, containerId, changes, options),
    setRate: (network, containerId, rate) => driver.setRate(network, containerId, rate),
    teardown: (network, containerId, status) => driver.teardown(network, containerId, status),
    sweep: (alive, options) => driver.sweep(alive, options),
    observe: async (containerId, path) =>
      (await import("./observe.ts")).observeNetwork({ host, names }, containerId, path),
    removeAll: () => removeAll({ ...deps, names, host, rootless }),
  }
}
