/**
 * Networks of containers.
 *
 * Daemonless: the kernel holds the truth (bridge, veth, nftables elements), the records hold who has which address.
 * `setup` runs between the runtime's create and start: it makes the veth pair with one end inside the container's network
 * namespace, gives address and route, and publishes ports. `teardown` takes the elements and the address back; the veth
 * goes with its namespace. Both are safe to repeat; a crash between any two steps is repaired by the next `sweep`.
 */
import type { PortMapping } from "../spec/docker/port-mapping.ts"
import type { Pid } from "../sys/process/process.ts"

export interface Network {
  id: string
  name: string
  driver: "bridge"
  /** Interface name on the host, `skiff0`. */
  bridge: string
  subnet: string
  gateway: string
}

export interface Endpoint {
  containerId: string
  /** Process whose network namespace is the container's. */
  pid: Pid
  /** Open descriptor of the namespace, where `pid` does not live in it but holds it: a build step's, before it runs. */
  netns?: number
  hostname: string
  ports: readonly PortMapping[]
  /** `--ip`, `--mac-address`. */
  address?: string
  macAddress?: string
}

/** What `setup` made; kept in the container's record, given back to `teardown`. */
export interface EndpointStatus {
  network: string
  interface: string
  address: string
  prefixLength: number
  gateway: string
  macAddress: string
  ports: PortMapping[]
}

export interface NetworkDriver {
  /** Throws InvalidArgument, touches nothing. */
  validate(network: Network): void
  /** Throws AlreadyExists for a taken port (naming who has it), Unavailable when no address is free. */
  setup(network: Network, endpoint: Endpoint): Promise<EndpointStatus>
  /** Safe to repeat. */
  teardown(network: Network, containerId: string, status: EndpointStatus | undefined): Promise<void>
}

export interface Networks {
  list(): Network[]
  /** By name or id; `bridge` is the default one, made on first use. Throws NotFound. */
  get(name: string): Network
  setup(network: Network, endpoint: Endpoint): Promise<EndpointStatus>
  teardown(network: Network, containerId: string, status: EndpointStatus | undefined): Promise<void>
  /** Takes back addresses and map elements of containers that are not among `alive`. */
  sweep(alive: ReadonlySet<string>): Promise<void>
}

/** The texts of the files that are bound over /etc of each container. */
export interface ContainerFiles {
  hosts(input: {
    hostname: string
    domainname?: string
    /** Undefined without a network of its own. */
    address?: string
    gateway?: string
    extraHosts: readonly string[]
    /** On top of the host's own. */
    hostNetwork: boolean
  }): string
  resolvConf(input: {
    /** Which loopback the container has. */
    kind: "bridge" | "host"
    dns: readonly string[]
    dnsSearch: readonly string[]
    dnsOptions: readonly string[]
  }): string
  hostname(hostname: string): string
}
