import type { Protocol } from "../../spec/docker/port-mapping.ts"

/** Ports of one protocol, from the first to the last. */
export interface PortRange {
  protocol: Protocol
  first: number
  last: number
}

/** What some of the traffic of members may be; all that is given must fit. */
export interface TrafficRule {
  /** Undefined: with everybody. */
  peers?: {
    addresses: readonly string[]
    ranges: readonly { range: string; except: readonly string[] }[]
  }
  /** Undefined: on every port. One of these, or of `places`. */
  ports?: readonly PortRange[]
  /** Ports that not every receiver has the same. */
  places?: readonly { address: string; protocol: Protocol; port: number }[]
}

/** What some members alone may receive, or send. What several policies allow is allowed. */
export interface TrafficPolicy {
  /** What it is known by, whatever becomes of it. */
  key: string
  direction: "receive" | "send"
  /** Addresses of the members that it bounds. */
  members: readonly string[]
  rules: readonly TrafficRule[]
}

/** Policies of a routed network. One process at a time keeps them. */
export interface TrafficPolicies {
  /**
   * Makes it so that these hold and no others, at once. `known`: the addresses of all members; while there are policies nobody else on
   * the network is let through, since nobody knows what holds for him. Safe to repeat. Answers to what was allowed are let through.
   */
  apply(policies: readonly TrafficPolicy[], known: readonly string[]): Promise<void>
  /** Whether all is there still. */
  isThere(): Promise<boolean>
}
