const HALF = 32

/** Docker's id of a container's place in a network: one of 64 digits for each pair, the same each time. */
export function endpointId(containerId: string, networkId: string): string {
  return networkId.padEnd(HALF, "0").slice(0, HALF) + containerId.slice(0, HALF)
}
