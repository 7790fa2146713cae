/**
 * Networks of containers.
 *
 * An endpoint is one interface of one network in one network namespace. A container, or a sandbox that several share, may
 * have several, of different networks: the first has the default route. What an endpoint is bound to is the namespace, not a
 * process: whoever holds it open (a container's first process, a bind mount, a descriptor) decides how long it lives.
 *
 * Daemonless: the kernel holds the truth (bridge, veth, nftables elements), the records hold who has which address.
 * `setup` runs between the runtime's create and start: it makes the veth pair with one end inside the namespace, gives
 * address and route, and publishes ports. `teardown` takes the elements and the address back; the veth
 * goes with its namespace. Both are safe to repeat; a crash between any two steps is repaired by the next `sweep`.
 */
import type { Cancellable } from "../base/cancel.ts"
import type { PortMapping } from "../spec/docker/port-mapping.ts"
import type { Refusal } from "../spec/docker/refusal.ts"
import type { EgressRule } from "../spec/docker/egress-rule.ts"
import type { NetworkOptions } from "./network-options.ts"
import type { NetworkRequest } from "./network-request.ts"
import type { TrafficRate } from "./traffic-rate.ts"
import type { ObservedVirtual } from "./balance/observe.ts"
import type { TrafficPolicies } from "./policy/traffic-policy.ts"
import type { VirtualPorts } from "./balance/virtual-port.ts"
import type { Pid } from "../sys/process/process.ts"

export type { TrafficRate } from "./traffic-rate.ts"
export type { NamedAnswer, NamedRecord, NameSource } from "./dns/name-source.ts"
export type { ObservedFrontend, ObservedVirtual } from "./balance/observe.ts"
export type { PortRange, TrafficPolicies, TrafficPolicy, TrafficRule } from "./policy/traffic-policy.ts"
export type { HostWay, SourceRange, VirtualEndpoint, VirtualPort, VirtualPorts } from "./balance/virtual-port.ts"

/** The network of containers that name none: always there, and never removed. */
export const DEFAULT_NETWORK = "bridge"

/** How a network's endpoints are made: bridge-driver.ts and its neighbours. */
export type NetworkDriverName = "bridge" | "macvlan" | "ipvlan" | "cni"

/** A network on record. */
export interface Network {
  id: string
  name: string
  driver: NetworkDriverName
  createdAt: Date
  /** Interface on the host: `skiff0`. Of macvlan and ipvlan the parent; of CNI, which makes its own, empty. */
  bridge: string
  /** IPv4. */
  subnet: string
  gateway: string
  /** IPv6, where the network has it. */
  subnet6?: string
  gateway6?: string
  options: NetworkOptions
}

/** What a new network is to be. Ranges that are left out are chosen: the next that nothing on this host uses. */
export type NetworkWanted = Pick<Network, "name"> &
  Partial<Omit<Network, "id" | "name" | "createdAt">> & {
    /** False: it has none. Default: one of its own (RFC 4193), where no other is named. */
    ipv6?: boolean
    /** `10.1.2.3/24` stands for the range that it is in. Default: it is a mistake. */
    clearHostBits?: boolean
  }

/** A container, or a pod, that is on a network when it runs. */
export interface NetworkUser {
  id: string
  name: string
}

/** What may change of a network that is there. */
export interface NetworkChanges {
  addDns?: readonly string[]
  dropDns?: readonly string[]
  /** In place of what was allowed, for who is there at once; null lifts it. */
  allow?: readonly EgressRule[] | null
  /** In place of what it had, at once; `{}` lifts it. */
  rate?: TrafficRate
}

/** Somebody's place in a network. */
export interface Endpoint {
  /** Whose it is: of a container, a sandbox or a build step. One network has at most one endpoint for each. */
  containerId: string
  /** The namespace: a path that opens it (`/proc/PID/ns/net`, a bind mount), or an open descriptor, which stays the caller's. */
  netns: string | number
  /** The process with which the namespace ends, if there is one: its end is seen sooner than that of the interface. */
  holder?: Pid
  /** Inside the namespace; default `eth0`. */
  interface?: string
  /** Whether the uplink leads through this network; default true. Of several endpoints of a namespace only the first may. */
  defaultRoute?: boolean
  hostname: string
  /** Published on the host, and led to this endpoint. With a reservation its own stand in their place. */
  ports: readonly PortMapping[]
  reservation?: PortReservation
  /** `--ip`, `--ip6`, `--mac-address`. */
  address?: string
  address6?: string
  macAddress?: string
  /** Given where it is free, and nobody's. */
  preferredAddress?: string
  /** As in NetworkRequest. */
  sysctls?: Readonly<Record<string, string>> | undefined
  /** What it is called on this network: name, hostname, short id, aliases. */
  names?: readonly string[]
  /** Asked for what is no name of ours, in place of the network's and the host's: `--dns`. */
  nameServers?: readonly string[]
  /** How fast it receives and sends. */
  rate?: TrafficRate | undefined
  /** Where it may not send, and by which interfaces of the host it is not reached either. */
  refuse?: readonly Refusal[] | undefined
  /** Where alone it may send; undefined: everywhere. */
  allow?: readonly EgressRule[] | undefined
  /** Settings of the namespace that somebody asked for, `net.ipv4.tcp_wmem`: they are left alone. */
  ownSysctls?: readonly string[]
}

/**
 * Ports of the host that are an endpoint's before there is a namespace: `reserve` binds them, and `setup` leads them to it. Whoever
 * inherits the sockets keeps the ports for as long as it lives: the monitor of a container. Disposing closes ours.
 */
export interface PortReservation extends Disposable {
  readonly containerId: string
  /** With a number for each. */
  readonly ports: readonly PortMapping[]
  /** Open descriptors. None where another program will bind the ports: pasta for an ordinary user. */
  readonly sockets: readonly number[]
}

/** What `setup` made; kept in the container's record, given back to `teardown`. */
export interface EndpointStatus {
  network: string
  interface: string
  address: string
  prefixLength: number
  gateway: string
  address6?: string
  prefixLength6?: number
  gateway6?: string
  macAddress: string
  ports: PortMapping[]
  /** Who answers questions for names on this network; undefined where nobody knows those of containers. */
  nameServer?: string
  /** Where names are looked for first, unless the container says where. */
  searchDomain?: string
}

/** What `reserve` must know of an endpoint. */
export type ReservedEndpoint = Pick<
  Endpoint,
  "containerId" | "ports" | "address" | "address6" | "macAddress" | "preferredAddress" | "names"
>

/** An endpoint that is set up, in a namespace that lives on. */
export type LiveEndpoint = Pick<Endpoint, "containerId" | "netns"> & { interface: string }

/** How the interfaces of several networks lie in one namespace. */
export interface Arrangement {
  /** What each is called, in order. */
  interfaces: readonly string[]
  /** Which one the default route and the published ports are led through; undefined without any. */
  uplink: number | undefined
}

/** Addresses that are somebody's whether they run or not. */
export interface AddressLease {
  containerId: string
  address?: string | undefined
  address6?: string | undefined
}

/** What an endpoint has carried since it was made, seen from inside. */
export interface EndpointTraffic {
  receivedBytes: number
  sentBytes: number
}

/** Ports that an endpoint gets and loses. Those that go are named as they are, with their numbers. */
export interface PortChanges {
  publish: readonly PortMapping[]
  unpublish: readonly PortMapping[]
}

/** Makes endpoints of one kind of network. `setup` that fails has taken back what it made; `teardown` is safe to repeat. */
export interface NetworkDriver {
  /** Throws InvalidArgument, touches nothing. */
  validate(network: Network): void
  /**
   * Takes address and ports before the container is made, and throws what `setup` would throw for them. Undone by `teardown`.
   * Killed, this process leaves nothing that counts.
   */
  reserve(network: Network, endpoint: ReservedEndpoint, options?: Cancellable): Promise<PortReservation>
  /**
   * Throws AlreadyExists for a taken port or address (naming who has it), Unavailable when no address is free,
   * FailedPrecondition when the namespace is gone or our own, Cancelled. Whatever it throws, nothing of the endpoint is left. Killed in
   * the middle, the next `setup` for the same container or the next `sweep` takes back what it made.
   */
  setup(network: Network, endpoint: Endpoint, options?: Cancellable): Promise<EndpointStatus>
  /** Undefined when there is no such endpoint, or its namespace is gone. */
  traffic(network: Network, containerId: string): Promise<EndpointTraffic | undefined>
  /**
   * Publishes and takes back ports of an endpoint that is set up; gives all that it has then. What goes is free for other containers at
   * once. Safe to repeat: what is there already, or gone, stays so. Throws AlreadyExists, FailedPrecondition without the endpoint;
   * all is as before then.
   */
  changePorts(
    network: Network,
    containerId: string,
    changes: PortChanges,
    options?: Cancellable,
  ): Promise<PortMapping[]>
  /** Other rates for an endpoint that is set up; safe to repeat. Throws FailedPrecondition. */
  setRate(network: Network, containerId: string, rate: TrafficRate): Promise<void>
  /** Takes this network's endpoint back, and leaves the container's others. Safe to repeat; nothing to do is no error. */
  teardown(network: Network, containerId: string, status: EndpointStatus | undefined): Promise<void>
  /** The same of one whose namespace lives on: its interface goes first. */
  leave(network: Network, endpoint: LiveEndpoint, status: EndpointStatus | undefined): Promise<void>
  /**
   * Leads all ports of a container's endpoint to its endpoint in `to`, a network of the same driver, at once: none is anybody else's
   * in between. Gives those of that one. Safe to repeat. Throws FailedPrecondition without an endpoint there.
   */
  movePorts(from: Network, to: Network, containerId: string): Promise<PortMapping[]>
}

/** Other names for endpoints that are there. */
export interface NameChanges {
  add?: readonly string[]
  remove?: readonly string[]
  /** As of `Endpoint`. */
  nameServers?: readonly string[]
}

/** What somebody tried to reach and could not, and how often. */
export interface RefusedTraffic {
  /** Whose container it was; undefined: it is gone. */
  containerId?: string
  network?: string
  /** `rule`: by what is refused or allowed to the container or its network; `isolation`: by what keeps networks apart. */
  reason: "rule" | "isolation"
  source: string
  destination: string
  /** `tcp`, or its number. */
  protocol: string
  port?: number
  packets: number
  bytes: number
  lastAt: Date
}

/** An interface as the kernel has it. */
export interface ObservedInterface {
  name: string
  macAddress: string
  mtu: number
  isUp: boolean
  /** `172.17.0.2/16`. */
  addresses: readonly string[]
  /** Its other end, outside, and the bridge that it is a port of. */
  hostEnd?: { name: string; bridge: string }
}

/** One element of a set or a map of the firewall, in nft's words. */
export interface FirewallElement {
  family: "inet" | "bridge"
  table: string
  name: string
  element: string
}

/** What the kernel has of a container's network. */
export interface ObservedNetwork {
  interfaces: readonly ObservedInterface[]
  /** The nftables tables of this store. */
  table: string
  elements: readonly FirewallElement[]
  /** The namespace of bridges and rules, where that is not the host's own. */
  hostNetns?: string
}

/** Networks of one store: what a driver does with endpoints, of whichever driver a network is. */
export interface Networks extends Omit<NetworkDriver, "validate"> {
  list(): Network[]
  /** As `get`, and makes nothing: the default network is as it would be made now. */
  inspect(name: string): Network
  /** By name, id or the beginning of one; `bridge` is the default one, made on first use. Throws NotFound, or InvalidArgument for an ambiguous prefix. */
  get(name: string): Network
  /** Writes it down; its bridge is made by the first endpoint. Throws InvalidArgument, AlreadyExists for name and ranges. */
  create(wanted: NetworkWanted, options?: Cancellable): Promise<Network>
  /**
   * Takes it from the records and the kernel. Throws FailedPrecondition while somebody is on it, or would be when it runs (`data.users`);
   * InvalidArgument for the default one.
   */
  remove(network: Network, options?: Cancellable): Promise<void>
  /** Calls an endpoint otherwise from now on; the next question is answered so. Nothing to do when there is none. */
  rename(network: Network, containerId: string, names: readonly string[]): void
  /** The same of all endpoints of a container (or a sandbox), by what is another. Safe to repeat. */
  changeNames(containerId: string, changes: NameChanges): void
  /** Containers and pods that are on it when they run. */
  users(network: Network): Promise<readonly NetworkUser[]>
  /** Holds for containers that start from then on. Safe to repeat. Throws InvalidArgument, NotFound. */
  update(network: Network, changes: NetworkChanges): Promise<Network>
  /**
   * What the interfaces of these networks are called, beside others that are `taken`: as asked for, as the network says, else `eth` and the
   * next free number. The uplink is, of those with a way out, the one of the highest priority, of equals the first. Throws NotFound.
   */
  arrange(requests: readonly NetworkRequest[], taken?: readonly string[]): Arrangement
  /**
   * Makes addresses of a network a container's (or a sandbox's) own until `release`. Throws InvalidArgument for one that is outside, or the
   * network's own, AlreadyExists for one that somebody has. Safe to repeat.
   */
  lease(network: Network, lease: AddressLease): void
  /** Gives back what was leased in this network, or in all. Safe to repeat. */
  release(containerId: string, network?: Network): void
  /** Leads the default route of a namespace by this endpoint, in the place of any other. Safe to repeat. */
  routeBy(network: Network, endpoint: LiveEndpoint): Promise<void>
  /** Begins what `setup` will need, while its caller waits for something else. Throws nothing. */
  warmUp(): void
  /**
   * Makes what the kernel has of these containers' networks anew, whatever is there: bridges with their ports, rules, rootless ways of
   * published ports. Connections go on, but those of an ordinary user by published ports. Safe to repeat.
   */
  reload(containerIds: readonly string[]): Promise<void>
  /** Other rules for where an endpoint that is set up may send; safe to repeat. Throws FailedPrecondition. */
  setEgress(network: Network, containerId: string, allow: readonly EgressRule[] | undefined): Promise<void>
  /** What was refused within the last day, the last first. Throws NotFound without nft(8). */
  refused(): Promise<RefusedTraffic[]>
  /** Takes from the kernel what processes left that were killed while they made a network. Safe to repeat, and beside all else. */
  removeStrays(): Promise<void>
  /** Takes back addresses and map elements of containers that are not among `alive`. */
  sweep(alive: ReadonlySet<string>, options?: Cancellable): Promise<void>
  /** What the kernel has in the namespace at the path `netns`, and outside for it. Changes nothing. Throws errno errors. */
  observe(containerId: string, netns: string): Promise<ObservedNetwork>
  /** From where these published ports are reached. Changes nothing. */
  portPlaces(reached: readonly ReachedPort[]): Promise<(PortPlace & { mapping: PortMapping })[]>
  /** The same, each asked whether somebody answers; `pid` is in the namespace that they lead to. Up to two seconds for each. */
  checkPorts(reached: readonly ReachedPort[], pid: number): Promise<PortCheck[]>
  /** For namespaces that are on no network of ours. */
  pastaNamespaces(): Promise<PastaNamespaces>
  /** Addresses of a network with virtual ranges that stand for several of its members. One process at a time keeps them. */
  virtualPorts(network: Network): Promise<VirtualPorts>
  /** What the kernel has of all such addresses and of policies. Changes nothing. */
  observeVirtual(): Promise<ObservedVirtual>
  /** What members of a routed network alone may receive and send. One process at a time keeps it. */
  trafficPolicies(network: Network): Promise<TrafficPolicies>
  /** Takes all of the store's networks from the kernel, once its containers are gone. Safe to repeat. */
  removeAll(): Promise<void>
}

/** A published port with its number, and the addresses of who has it, on its networks. */
export interface ReachedPort {
  port: PortMapping
  addresses: readonly string[]
}

/** An address of the host's that others can know it by. */
export interface HostAddress {
  address: string
  interface: string
}

/** A way to a published port. */
export interface PortPlace extends Partial<HostAddress> {
  from: "this host" | "other hosts" | "containers"
  address: string
  port: number
}

/** What came of asking. `filtered`: no answer at all. */
export interface PortCheck extends PortPlace {
  mapping: PortMapping
  state: "open" | "closed" | "filtered" | "unknown"
  /** Empty when it is open and was asked. */
  reason: string
}

/** A namespace that has the host's addresses by a pasta of its own. */
export interface PastaNamespace {
  containerId: string
  /** A path that opens it. */
  netns: string
  /** With a number for each. */
  ports: readonly PortMapping[]
  /** Words for pasta(1); `--map-gw` is podman's. */
  options: readonly string[]
}

/** Namespaces that are carried to the host by a program each, beside all networks; an ordinary user's alone. */
export interface PastaNamespaces {
  /** Gives the ports with a number for each. Throws FailedPrecondition as root, InvalidArgument for options that are not the caller's. */
  plan(options: readonly string[], ports: readonly PortMapping[]): PortMapping[]
  /** Throws AlreadyExists for a port that is taken, FailedPrecondition with the repair. Undone by `disconnect`, or the next `sweep`. */
  connect(namespace: PastaNamespace): Promise<void>
  /** Safe to repeat. */
  disconnect(containerId: string): void
}

export { withoutAddresses, type NetworkRequest } from "./network-request.ts"
export type { NetworkDns, NetworkOptions, NetworkRoute, VirtualRanges } from "./network-options.ts"

/** The texts of the files that are bound over /etc of each container. */
export interface ContainerFiles {
  hosts(input: {
    hostname: string
    domainname?: string
    name?: string | undefined
    /** Undefined without a network of its own. */
    address?: string
    address6?: string
    gateway?: string
    extraHosts: readonly string[]
    /** On top of the host's own. */
    hostNetwork: boolean
    /** On top of this text, whatever the network. */
    base?: string | undefined
  }): string
  resolvConf(input: {
    /** Which loopback the container has. */
    kind: "bridge" | "host"
    dns: readonly string[]
    dnsSearch: readonly string[]
    dnsOptions: readonly string[]
    /** Those of its networks that know names of containers: asked in place of all others, whom they ask. */
    resolvers: readonly string[]
    /** Where those networks have names looked for first. */
    searchDomains?: readonly string[]
  }): string
  hostname(hostname: string): string
}
