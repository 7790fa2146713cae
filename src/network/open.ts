/** All networks of one store: the records and their driver. */
import { existsSync } from "node:fs"
import type { Database } from "../base/database.ts"
import { FailedPrecondition, NotFound } from "../base/errors.ts"
import type { EgressRule } from "../spec/docker/egress-rule.ts"
import type { Events } from "../event/event.ts"
import { rootlessUid } from "../sys/fs/paths.ts"
import { arrange } from "./arrange.ts"
import { BridgeDriver } from "./bridge-driver.ts"
import type { AddressPool } from "./choose-subnet.ts"
import { defaultNetwork, plannedDefault } from "./default-network.ts"
import { hasResolver, isDefaultBridge } from "./dns/has-resolver.ts"
import { haveNames } from "./egress/rules.ts"
import { withHostBinding } from "./host-binding.ts"
import { CNI_CONFIG_DIRECTORY, listConfigLists } from "./cni/config-list.ts"
import { networkOfList } from "./cni/network-of-list.ts"
import { HostSide, type HostSockets } from "./host-side.ts"
import { kernelNames } from "./names.ts"
import { leaseAddresses } from "./lease-addresses.ts"
import { removeLeases } from "./leases.ts"
import { findNetwork, listBridges, listNetworks } from "./network-records.ts"
import { DEFAULT_NETWORK, type Network, type NetworkDriver, type Networks, type NetworkUser } from "./network.ts"
import { removeVirtualTables } from "./balance/remove.ts"
import { removeAll } from "./remove-all.ts"
import { EndpointRecords } from "./records.ts"
import { RootlessUplink } from "./rootless-uplink.ts"

/** Words for the default network: Docker's, and Podman's. */
const DEFAULT_NAMES = new Set(["bridge", "default", "podman"])

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
  /** Where ranges come from that nobody asked for. */
  addressPools?: readonly AddressPool[] | undefined
  /** Gives who tells, in a transaction, which containers and pods are on a network when they run. */
  users?: (() => Promise<(network: Network) => readonly NetworkUser[]>) | undefined
  /** Where CNI's configuration lists are; default: `/etc/cni/net.d`. */
  cniConfigDirectory?: string
}

/** Whether a network stands on an interface of the host. */
const hasParent = ({ driver }: Pick<Network, "driver">): boolean => driver === "macvlan" || driver === "ipvlan"

const pastas = () => import("./pasta-namespaces.ts")

/** Rules for where containers send stand at bridges. Throws FailedPrecondition. */
function needBridge({ name, driver }: Network, allow: readonly EgressRule[] | undefined): void {
  if (driver === "bridge" || allow === undefined) return
  throw new FailedPrecondition(
    `where containers send cannot be said on network "${name}": it has the driver ${driver}`,
    {
      field: "egress.allow",
      hint: "use a network with the driver bridge",
    },
  )
}

/** Opens nothing before it is used. */
export function openNetworks(deps: NetworksDeps): Networks {
  const { netns, cniConfigDirectory: cniDirectory = CNI_CONFIG_DIRECTORY } = deps
  const names = kernelNames(deps.runRoot, netns !== undefined)
  const host = new HostSide(netns)
  const rootless = netns === undefined ? undefined : new RootlessUplink({ runRoot: deps.runRoot, netns })
  const bridges = new BridgeDriver({ db: deps.db, runRoot: deps.runRoot, names, host, rootless })
  const macvlan = async () =>
    new (await import("./macvlan-driver.ts")).MacvlanDriver({ db: deps.db, names, host, rootless: netns !== undefined })
  const cni = async () =>
    new (await import("./cni/cni-driver.ts")).CniDriver({
      runRoot: deps.runRoot,
      host,
      rootless: netns !== undefined,
      configDirectory: cniDirectory,
    })
  // of an administrator's, on most hosts none
  const configured = (): Network[] => {
    if (!existsSync(cniDirectory)) return []
    // Debian's podman brings a list with the name of its default network, which here is a bridge of ours
    return listConfigLists(cniDirectory)
      .filter(({ name }) => !DEFAULT_NAMES.has(name))
      .map(networkOfList)
  }
  const driverOf = async ({ name, driver }: Network): Promise<NetworkDriver> => {
    if (driver === "bridge") return bridges
    if (hasParent({ driver })) return macvlan()
    if (driver === "cni") return cni()
    throw new FailedPrecondition(`network "${name}" has the driver ${driver}, which this version does not have`)
  }
  const setup: Networks["setup"] = async (network, asked, options) => {
    const plain = await driverOf(network)
    const driver =
      asked.sysctls === undefined ? plain : (await import("./interface-sysctls.ts")).withSysctls(plain, host)
    needBridge(network, asked.allow ?? network.options.allow)
    const endpoint = { ...asked, ports: withHostBinding(network, asked.ports) }
    if (!hasResolver(network) && !(isDefaultBridge(network) && haveNames(asked.allow)))
      return driver.setup(network, endpoint, options)
    const { setupNamed } = await import("./dns/setup-named.ts")
    return setupNamed({ ...deps, driver }, network, endpoint, options)
  }
  const { db, events, addressPools } = deps
  const records = new EndpointRecords(deps.db)
  const makers = { db, names, rootless: netns !== undefined, events, addressPools }
  const teardown = async (on: Network, id: string): Promise<void> => (await driverOf(on)).teardown(on, id, undefined)
  const forgetRules = (sockets: HostSockets, gone: Network): void => {
    bridges.forget(sockets, gone)
    if (gone.options.virtual !== undefined) removeVirtualTables(sockets.netfilter, names)
  }
  const find = (name: string, usual: () => Network): Network => {
    const isDefault = DEFAULT_NAMES.has(name)
    const found = findNetwork(db, isDefault ? DEFAULT_NETWORK : name)
    if (found !== undefined) return found
    if (isDefault) return usual()
    const listed = configured().find((network) => network.name === name || network.id === name)
    if (listed !== undefined) return listed
    throw new NotFound(`network ${name} not found`, {
      hint: { do: "listNetworks" },
      data: { object: "network", name },
    })
  }
  const isUsers = rootlessUid() !== undefined
  const bridgeNames = (): ReadonlySet<string> => new Set(listBridges(db).map(({ bridge }) => bridge))
  const leadsLoopback6 = async (): Promise<boolean> =>
    rootless !== undefined || (await import("./ipv6-host.ts")).isLoopback6Translated()
  const get = (name: string): Network => find(name, () => defaultNetwork(db, names, makers))
  return {
    list() {
      const own = listNetworks(db)
      return [...own, ...configured().filter(({ name }) => !own.some((network) => network.name === name))]
    },
    inspect: (name) => find(name, () => plannedDefault(db, names, makers)),
    get,
    create: async (wanted) => (await import("./create-network.ts")).createNetwork(makers, wanted),
    async remove(network) {
      if (network.driver === "cni") throw configuredByFile(network)
      const { removeNetwork } = await import("./remove-network.ts")
      const usedBy = await deps.users?.()
      return removeNetwork({ db, host, alias: names.alias, events, usedBy, teardown, forgetRules }, network)
    },
    users: async (network) => (await deps.users?.())?.(network) ?? [],
    async update(network, changes) {
      if (network.driver === "cni") throw configuredByFile(network)
      needBridge(network, changes.allow ?? undefined)
      const updated = (await import("./update-network.ts")).updateNetwork({ db, events }, network, changes)
      if (network.driver === "bridge") await bridges.rebound(network, updated, changes)
      return updated
    },
    arrange: (requests, taken = []) => arrange(requests, { get, taken }),
    // addresses of a CNI network are its plugins' to give
    lease: (network, lease) => (network.driver === "cni" ? undefined : leaseAddresses(db, network, lease)),
    release: (containerId, network) => db.transaction(() => removeLeases(db, containerId, network)),
    routeBy: async (network, endpoint) => (await import("./route-by.ts")).routeBy(host, network, endpoint),
    warmUp: () => void host.sockets().catch(() => {}),
    reserve: async (network, endpoint, options) => {
      const ports = withHostBinding(network, endpoint.ports)
      return (await driverOf(network)).reserve(network, { ...endpoint, ports }, options)
    },
    setup,
    traffic: async (network, containerId) => (await driverOf(network)).traffic(network, containerId),
    changePorts: async (network, containerId, changes, options) =>
      (await driverOf(network)).changePorts(
        network,
        containerId,
        { ...changes, publish: withHostBinding(network, changes.publish) },
        options,
      ),
    setRate: async (network, containerId, rate) => (await driverOf(network)).setRate(network, containerId, rate),
    async setEgress(network, containerId, allow) {
      needBridge(network, allow)
      if (network.driver === "bridge") await bridges.setEgress(network, containerId, allow)
    },
    teardown: async (network, containerId, status) => (await driverOf(network)).teardown(network, containerId, status),
    rename: (network, containerId, called) => records.rename(containerId, network.id, called),
    changeNames: (containerId, changes) => deps.db.transaction(() => records.changeNames(containerId, changes)),
    reload: (containerIds) => bridges.reload(containerIds),
    leave: async (network, endpoint, status) => (await driverOf(network)).leave(network, endpoint, status),
    movePorts: async (from, to, containerId) => (await driverOf(to)).movePorts(from, to, containerId),
    async removeStrays() {
      // only what is made in the host's own namespace is there before its row
      if (netns === undefined) (await import("./stray-bridges.ts")).sweepStrayBridges(db, names)
    },
    async sweep(alive, options) {
      if (rootless !== undefined) (await pastas()).sweepPastaNamespaces(deps.runRoot, alive)
      await bridges.sweep(alive, options)
      if (listNetworks(db).some(hasParent)) await (await macvlan()).sweep(alive)
      if (existsSync(cniDirectory)) await (await cni()).sweep(alive)
    },
    refused: async () => (await import("./egress/log.ts")).readRefusals({ db, table: names.table, netns }),
    observe: async (containerId, path) =>
      (await import("./observe.ts")).observeNetwork({ host, names }, containerId, path),
    async portPlaces(reached) {
      const { hostAddresses, placesHere } = await import("./check-ports.ts")
      const known = hostAddresses(bridgeNames())
      const hasLoopback6 = await leadsLoopback6()
      return reached.flatMap((one) =>
        placesHere(one, known, hasLoopback6).map((place) => Object.assign({ mapping: one.port }, place)),
      )
    },
    async checkPorts(reached, pid) {
      const { checkPorts, hostAddresses } = await import("./check-ports.ts")
      const hook = rootless === undefined ? "forward" : "input"
      const about = { reached, pid, isRoot: !isUsers, hook, table: names.table } as const
      return checkPorts({ ...about, hasLoopback6: await leadsLoopback6() }, hostAddresses(bridgeNames()))
    },
    async pastaNamespaces() {
      const { openPastaNamespaces } = await pastas()
      return openPastaNamespaces({ db, runRoot: deps.runRoot, isRoot: !isUsers })
    },
    async virtualPorts(network) {
      const { openVirtualPorts } = await import("./balance/open.ts")
      return openVirtualPorts({ host, names, runRoot: deps.runRoot, rootless, ready: () => bridges.ready(network) })
    },
    async observeVirtual() {
      const { observeVirtual } = await import("./balance/observe.ts")
      return observeVirtual((await host.sockets()).netfilter, names, deps.runRoot)
    },
    async trafficPolicies(network) {
      const { openTrafficPolicies } = await import("./policy/open.ts")
      return openTrafficPolicies({ host, names, runRoot: deps.runRoot, network })
    },
    removeAll: () => removeAll({ ...deps, names, host, rootless }),
  }
}

function configuredByFile({ name }: Network): FailedPrecondition {
  return new FailedPrecondition(`network "${name}" is configured by a file in ${CNI_CONFIG_DIRECTORY}`, {
    hint: "change or remove the file",
    data: { object: "network", name },
  })
}
