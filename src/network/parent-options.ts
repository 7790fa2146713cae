/** What `--opt` says of networks that stand on an interface of the host. */
import { InvalidArgument } from "../base/errors.ts"
import type { ChildLinkKind } from "../sys/net/rtnetlink.ts"
import type { Network } from "./network.ts"

/** linux/if_link.h, `enum macvlan_mode` */
const MACVLAN_MODES: Readonly<Record<string, number>> = { private: 1, vepa: 2, bridge: 4, passthru: 8 }
/** linux/if_link.h, `enum ipvlan_mode` */
const IPVLAN_MODES: Readonly<Record<string, number>> = { l2: 0, l3: 1, l3s: 2 }
/** linux/if_link.h, IPVLAN_F_PRIVATE, IPVLAN_F_VEPA */
const IPVLAN_FLAGS: Readonly<Record<string, number>> = { bridge: 0, private: 1, vepa: 2 }

/** Options that such a network takes, in Docker's words and in Podman's. */
const KNOWN: Partial<Record<Network["driver"], readonly string[]>> = {
  macvlan: ["parent", "mode", "macvlan_mode", "mtu", "com.docker.network.driver.mtu"],
  ipvlan: ["parent", "mode", "ipvlan_mode", "ipvlan_flag", "mtu", "com.docker.network.driver.mtu"],
}

/** What of a network says how its interfaces are made. */
type Childbearing = Pick<Network, "driver" | "options">

/** Throws InvalidArgument for an unknown option or value. Looks at no interface. */
export function checkParentOptions(network: Childbearing): void {
  const known = KNOWN[network.driver] ?? []
  const unknown = Object.keys(network.options.driverOptions ?? {}).find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new InvalidArgument(`unsupported network option "${unknown}" of driver ${network.driver}`, {
      field: "driverOptions",
      hint: { valid: known },
    })
  childKind(network)
}

/** The kind and mode of each container's interface. Throws InvalidArgument. */
export function childKind({ driver, options: { driverOptions = {} } }: Childbearing): ChildLinkKind {
  if (driver === "ipvlan") {
    const mode = pick(IPVLAN_MODES, "ipvlan_mode", driverOptions.ipvlan_mode ?? driverOptions.mode ?? "l2")
    return { kind: "ipvlan", mode, flags: pick(IPVLAN_FLAGS, "ipvlan_flag", driverOptions.ipvlan_flag ?? "bridge") }
  }
  const mode = driverOptions.macvlan_mode ?? driverOptions.mode ?? "bridge"
  return { kind: "macvlan", mode: pick(MACVLAN_MODES, "macvlan_mode", mode) }
}

/** Whether packets leave by the interface itself: of ipvlan's l3 there is no gateway to ask for. */
export function isRouted(network: Childbearing): boolean {
  const kind = childKind(network)
  return kind.kind === "ipvlan" && kind.mode !== IPVLAN_MODES.l2
}

function pick(words: Readonly<Record<string, number>>, name: string, value: string): number {
  const number = words[value]
  if (number === undefined)
    throw new InvalidArgument(`invalid value "${value}" of network option "${name}"`, {
      field: "driverOptions",
      hint: { valid: Object.keys(words) },
    })
  return number
}
