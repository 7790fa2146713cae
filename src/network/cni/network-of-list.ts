import { statSync } from "node:fs"
import { sha256Hex } from "../../sys/sha256.ts"
import type { Network } from "../network.ts"
import type { CniConfigList, CniPlugin } from "./config-list.ts"

/** What is told of a network that is a configuration list: its range where the plugin host-local says it. */
export function networkOfList(list: CniConfigList): Network {
  const range = list.plugins.map(rangeOf).find((found) => found !== undefined)
  return {
    // as podman counted the ids of its CNI networks: the same on each host
    id: sha256Hex(list.name),
    name: list.name,
    driver: "cni",
    createdAt: statSync(list.path).mtime,
    bridge: "",
    subnet: range?.subnet ?? "",
    gateway: range?.gateway ?? "",
    options: { driverOptions: { plugins: list.plugins.map(({ type }) => type).join(",") } },
  }
}

interface HostLocal {
  subnet?: unknown
  gateway?: unknown
  ranges?: unknown
}

/** Of host-local, in its older and its newer form; the first of IPv4. */
function rangeOf({ ipam }: CniPlugin): { subnet: string; gateway?: string } | undefined {
  const { ranges, ...single } = (typeof ipam === "object" && ipam !== null ? ipam : {}) as HostLocal
  const all = [single, ...(Array.isArray(ranges) ? (ranges as unknown[]).flat() : [])] as HostLocal[]
  for (const { subnet, gateway } of all)
    if (typeof subnet === "string" && !subnet.includes(":"))
      return { subnet, ...(typeof gateway === "string" && { gateway }) }
  return undefined
}
