import { spawnSync } from "node:child_process"
import { kernelNames } from "../../src/network/names.ts"

/** Takes from the host what the networks of root's store had made for themselves: bridge and tables. */
export function removeNetwork(runRoot: string): void {
  const { bridge, table } = kernelNames(runRoot, false)
  spawnSync("ip", ["link", "delete", bridge])
  for (const family of ["inet", "bridge"]) spawnSync("nft", ["delete", "table", family, table])
}
