import type { Protocol } from "../../spec/docker/port-mapping.ts"

/** One port of something that several endpoints stand behind. */
export interface VirtualPort {
  /** What it is known by, whatever becomes of it: `default/web:http`. */
  key: string
  protocol: Protocol
  port: number
  /** Asked by members of the network and by this host. Of both families. */
  addresses: readonly string[]
  /** Asked from everywhere. */
  balanced: readonly string[]
  /** Ranges of who may ask by `balanced`; no two overlap. Undefined: everyone. Others are refused. */
  sources?: readonly SourceRange[]
  /** Addresses that are not the network's own, asked from everywhere: by whoever has a route of it to this host. */
  external?: readonly string[]
  /** The same by a port of all addresses of this host. */
  nodePort?: number
  /** A caller stays with his endpoint for so long after he has called last. */
  staySeconds?: number
  /** No two alike. Without any, callers are refused. */
  endpoints: readonly VirtualEndpoint[]
}

/** Addresses of one family, both ends among them. */
export interface SourceRange {
  first: string
  last: string
}

/** Where a virtual port leads. */
export interface VirtualEndpoint {
  address: string
  port: number
}

/** Ports of this host that lead to the network: of an ordinary user's, where the host's side is a namespace of its own. */
export interface HostWay {
  /** What it is known by: its ports change together, and what goes by them is cut off then. */
  key: string
  ports: readonly { protocol: Protocol; hostPort: number; innerPort: number }[]
}

/** Addresses of a network that stand for several of its members; the kernel's own tables are what is known of them. */
export interface VirtualPorts {
  /** Makes it so that there are these and no others, whatever is there. Safe to repeat. */
  replace(ports: readonly VirtualPort[]): Promise<void>
  /** Some in the place of those of the same key, and some no more: at once, and at the price of what differs. After `replace`. */
  change(set: readonly VirtualPort[], remove?: readonly string[]): Promise<void>
  /**
   * Makes it so that these ports of the host lead here, and no others. As root they do by themselves. Those that are another's are told of, and
   * tried again the next time. Safe to repeat.
   */
  lead(ways: readonly HostWay[]): Promise<void>
  /** Whether all is there still: an administrator's `nft flush ruleset` takes it. One question to the kernel. */
  isThere(): Promise<boolean>
}
