import type { Network } from "../../network/network.ts"

/** What a tool takes for granted about networks. */
export interface NetworkHabits {
  /** `host` and `none` are networks: listed, inspected, told to exist. */
  readonly hasPredefined: boolean
  /** What a network without a name is called, before its number; undefined: a name must be given. */
  readonly namePrefix: string | undefined
  /** What the default network is called. */
  readonly defaultName: string
  /** A network has IPv6 that does not say whether. */
  readonly hasIpv6: boolean
  /** A port on all addresses is told once for each family: `0.0.0.0` and `::`. */
  readonly tellsFamilies: boolean
  /** Where members of a network that is made look for names first. */
  readonly searchDomain: string | undefined
  /** What is said of published ports where the network mode has none; undefined: nothing. */
  portsDiscarded(mode: string): string | undefined
  /** `10.1.2.3/24` means the network that this address is in; else it is a mistake. */
  readonly clearsHostBits: boolean
  /** What `create` prints. */
  created(network: Network): string
  /** Whether `prune` says above the names what they are. */
  readonly prunedHeading: boolean
  /** What `rm --force` does with containers that use the network; undefined: nothing, it is refused. */
  readonly forcedRemoval: "disconnect" | "remove" | undefined
}

/** Skiff's own. */
export const NETWORK_HABITS: NetworkHabits = {
  hasPredefined: true,
  namePrefix: "network",
  defaultName: "bridge",
  hasIpv6: true,
  tellsFamilies: true,
  searchDomain: undefined,
  portsDiscarded: (mode) =>
    mode === "host" ? "WARNING: Published ports are discarded when using host network mode" : undefined,
  clearsHostBits: false,
  created: ({ id }) => id,
  prunedHeading: true,
  forcedRemoval: "disconnect",
}

/** Docker's: `--force` only forgives what is not there. */
export const DOCKER_NETWORK_HABITS: NetworkHabits = {
  ...NETWORK_HABITS,
  namePrefix: undefined,
  hasIpv6: false,
  forcedRemoval: undefined,
}

/** Podman's. */
export const PODMAN_NETWORK_HABITS: NetworkHabits = {
  hasPredefined: false,
  namePrefix: "podman",
  defaultName: "podman",
  hasIpv6: false,
  tellsFamilies: false,
  searchDomain: "dns.podman",
  portsDiscarded: (mode) =>
    `Port mappings have been discarded because "${mode}" network namespace mode does not support them`,
  clearsHostBits: true,
  created: ({ name }) => name,
  prunedHeading: false,
  forcedRemoval: "remove",
}
