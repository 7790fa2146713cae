/** What the resolver asks and tells a firewall whose rules are made of names (../egress/names.ts). */

/** One answer. */
export interface HeardAnswer {
  /** Who asked. */
  containerId: string
  /** What was asked for, in lower case: `api.example.org`. What `addresses` are called may be another name (CNAME). */
  name: string
  addresses: readonly { address: string; ttlSeconds: number }[]
}

/** Where containers may send, as far as names say it. */
export interface NamedEgress {
  /** Whether a container may have the world asked for a name. */
  mayAsk(containerId: string, name: string): boolean
  /**
   * Hears an answer before who asked does, so that he can reach the address as soon as he knows it. It must not wait; what it throws holds
   * the answer back.
   */
  hear(heard: HeardAnswer): void
}
