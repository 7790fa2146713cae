import type { Network } from "../network.ts"

/**
 * Whether names of containers are answered in a network. Docker's rule: in those that a user made, and not in the default one. Only a
 * bridge has an address of ours to ask at.
 */
export function hasResolver(network: Pick<Network, "name" | "driver" | "options">): boolean {
  return network.driver === "bridge" && !isDefaultBridge(network) && network.options.dns?.disabled !== true
}

/** Where no names are answered, but to those who may send to some names alone (../egress/). */
export function isDefaultBridge({ name, driver }: Pick<Network, "name" | "driver">): boolean {
  return name === "bridge" && driver === "bridge"
}
