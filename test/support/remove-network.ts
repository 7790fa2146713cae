import { spawnSync } from "node:child_process"
import { kernelNames } from "../../src/network/names.ts"

/** Takes from the host what the networks of root's store had made for themselves: bridges and tables. */
export function removeNetwork(runRoot: string): void {
  const { bridge, table } = kernelNames(runRoot, false)
  for (const name of new Set([bridge, ...bridgesOf(runRoot)])) spawnSync("ip", ["link", "delete", name])
  for (const family of ["inet", "bridge"]) spawnSync("nft", ["delete", "table", family, table])
  // of Kubernetes' Services and policies
  for (const part of ["virtual", "policy"]) spawnSync("nft", ["delete", "table", "inet", `${table}_${part}`])
}

/** The bridges on this host that say that they are of root's store. */
export function bridgesOf(runRoot: string): string[] {
  const { alias } = kernelNames(runRoot, false)
  const links = JSON.parse(spawnSync("ip", ["-j", "link"]).stdout.toString()) as { ifname: string; ifalias?: string }[]
  return links.flatMap(({ ifname, ifalias }) => (ifalias === alias ? [ifname] : []))
}
