import type { EgressRule } from "../spec/docker/egress-rule.ts"
import type { TrafficRate } from "./traffic-rate.ts"

/** What was asked of a network beyond its ranges; what is left out has Docker's default. Kept as JSON in its row. */
export interface NetworkOptions {
  /** `--ip-range`: addresses are given out of it alone. */
  ipRange?: string
  ipRange6?: string
  /** `--aux-address`: addresses of the range that are somebody else's, by name. */
  auxiliary?: Readonly<Record<string, string>>
  labels?: Readonly<Record<string, string>>
  /** `--opt`, as given: `mtu`, `isolate`, `com.docker.network.bridge.enable_icc`. */
  driverOptions?: Readonly<Record<string, string>>
  /** Where its members may send; each by its own rules too. Default: everywhere. */
  allow?: readonly EgressRule[]
  /** How fast all of it together sends out and receives from outside. */
  rate?: TrafficRate
  /** It has no way out. */
  internal?: boolean
  /** Kept for those who ask; every network of this engine is. */
  attachable?: boolean
  dns?: NetworkDns
  routes?: readonly NetworkRoute[]
  /**
   * Its members reach each other by the host alone, and have no neighbours on their link: what they send passes the rules of what is routed,
   * and comes back through address translation the way it went.
   */
  routed?: boolean
  /** Ranges that no interface has: rules lead what is sent there to members of the network. */
  virtual?: VirtualRanges
  /** What its interfaces are called in a container. Default: `eth` and the next number. */
  interfaceName?: string
}

/** Addresses that stand for several endpoints. */
export interface VirtualRanges {
  /** Known to members and to the host. */
  services: string
  services6?: string
  /** Reached from everywhere that has a route to this host. */
  balanced: string
}

/** Who answers a network's questions for names. */
export interface NetworkDns {
  /** Names of containers are not known in it. */
  disabled?: boolean
  /** Asked in place of the host's own. */
  servers?: readonly string[]
  /** Where its members look for a name first; the resolver knows them as `NAME.dns.podman`, too. */
  searchDomain?: string
}

/** A way that every container of the network gets besides its default one. */
export interface NetworkRoute {
  /** `10.20.0.0/16`. */
  destination: string
  /** In the network's range. */
  gateway: string
  metric?: number
}
