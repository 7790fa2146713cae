/** Held by a store of root's while it chooses a range of addresses: no two choose the same. */
export const NETWORK_LOCK = "/run/skiff.network.lock"
