import { readValue } from "./cgroups.ts"

/** A route of the main table. */
export interface RouteFact {
  /** `172.17.0.0/16`; `default`. */
  to: string
  via?: string
  interface: string
}

/** The IPv4 routes of a process's network namespace (proc_pid_net(5)). */
export function routeFacts(pid: number): RouteFact[] {
  return parseRoutes(readValue(`/proc/${pid}/net/route`) ?? "")
}

/** Pure. Addresses are in the machine's byte order: little-endian on all that we run on. */
export function parseRoutes(text: string): RouteFact[] {
  return text
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [name = "", to = "", gateway = "", , , , , mask = ""] = line.split("\t")
      if (name === "" || to === "") return []
      const length = [...Number.parseInt(mask, 16).toString(2)].filter((bit) => bit === "1").length
      return [
        {
          to: length === 0 ? "default" : `${address(to)}/${length}`,
          ...(gateway === "00000000" ? {} : { via: address(gateway) }),
          interface: name,
        },
      ]
    })
}

function address(hex: string): string {
  return (hex.match(/../g) ?? [])
    .toReversed()
    .map((byte) => Number.parseInt(byte, 16))
    .join(".")
}
