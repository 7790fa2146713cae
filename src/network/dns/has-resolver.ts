import type { Network } from "../network.ts"

/**
 * Whether names of containers are answered in a network. Docker's rule: in those that a user made, and not in the default one. Only a
 * bridge has an address of ours to ask at.
 */
export function hasResolver({ name, driver, options }: Pick<Network, "name" | "driver" | "options">): boolean {
  return name !== "bridge" && driver === "bridge" && options.dns?.disabled !== true
}
