import { InvalidArgument } from "../base/errors.ts"
import { readSettings, settingsFile } from "../base/settings-file.ts"
import type { AddressPool } from "./choose-subnet.ts"
import { parseIpv4Range } from "./ipv4.ts"

/** What `[network]` of skiff's own settings says. */
export interface NetworkSettings {
  /**
   * How the containers of root reach the host and what lies behind it; an ordinary user has no choice. `kernel`: by routes and address
   * translation, the fastest; the host's firewall sees it as forwarded. `pasta`: by a program of the host, as those of an ordinary
   * user do; the host's firewall sees what the program receives and sends.
   */
  uplink: "kernel" | "pasta"
  /** Where the ranges of networks come from that nobody chose one for. Undefined: Docker's and Podman's own. */
  addressPools?: readonly AddressPool[]
}

const UPLINKS = ["kernel", "pasta"] as const
const KEYS = ["network.uplink", "network.address_pools"]
/** A bridge and a container. */
const LONGEST_PREFIX = 30

/** Reads it; without a file, the defaults, at no cost but a look. Throws InvalidArgument with the file's name and the key. */
export async function readNetworkSettings(path = settingsFile()): Promise<NetworkSettings> {
  const { uplink = "kernel", address_pools: pools, ...more } = await readSettings("network", path)
  const [unknown] = Object.keys(more).map((key) => `network.${key}`)
  if (unknown !== undefined)
    throw new InvalidArgument(`"${path}" has the unknown key "${unknown}"`, { hint: { valid: KEYS } })
  const known = UPLINKS.find((word) => word === uplink)
  if (known === undefined)
    throw new InvalidArgument(`"${path}" says network.uplink = ${JSON.stringify(uplink)}`, { hint: { valid: UPLINKS } })
  return { uplink: known, ...(pools !== undefined && { addressPools: readPools(path, pools) }) }
}

/** `[{ base = "10.80.0.0/12", size = 24 }]` */
function readPools(path: string, pools: unknown): AddressPool[] {
  if (!Array.isArray(pools) || pools.length === 0)
    throw new InvalidArgument(`"${path}": network.address_pools is no list of pools`, { hint: EXAMPLE })
  return pools.map((one: unknown) => {
    const { base, size, ...more } = (typeof one === "object" && one !== null ? one : {}) as Record<string, unknown>
    if (typeof base !== "string" || typeof size !== "number" || Object.keys(more).length > 0)
      throw new InvalidArgument(`"${path}": network.address_pools has ${JSON.stringify(one)}`, { hint: EXAMPLE })
    const range = parseBase(path, base)
    if (!Number.isInteger(size) || size < range.prefixLength || size > LONGEST_PREFIX)
      throw new InvalidArgument(`"${path}": no networks of size ${size} are in the address pool ${base}`, {
        hint: `expected a prefix length from ${range.prefixLength} to ${LONGEST_PREFIX}`,
      })
    return { base: range, size }
  })
}

const EXAMPLE = 'expected address_pools = [{ base = "10.80.0.0/12", size = 24 }]'

function parseBase(path: string, base: string): AddressPool["base"] {
  try {
    return parseIpv4Range(base)
  } catch (cause) {
    const { message, hint } = cause as InvalidArgument
    throw new InvalidArgument(`"${path}": network.address_pools: ${message}`, { hint, cause })
  }
}
