/** What the resolver tells of answers from outside, before who asked hears of them: a firewall that is made of names listens. */

/** One answer. */
export interface HeardAnswer {
  /** Who asked. */
  containerId: string
  /** By which network. */
  networkId: string
  /** What was asked for, in lower case: `api.example.org`. What `addresses` are called may be another name (CNAME). */
  name: string
  addresses: readonly { address: string; ttlSeconds: number }[]
}

/**
 * The answer waits for it, so that who asked can reach the address as soon as he knows it. It must not wait long; what it throws holds
 * the answer back.
 */
export type OnHeard = (heard: HeardAnswer) => void | Promise<void>
