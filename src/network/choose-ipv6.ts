/** Which IPv6 addresses endpoints get. */
import { InvalidArgument, Unavailable } from "../base/errors.ts"
import { parseIpv4Range } from "./ipv4.ts"
import { formatIpv6, ipv6Contains, lastIpv6Address, parseIpv6, parseIpv6Range } from "./ipv6.ts"
import { addressInUse } from "./leases.ts"
import type { Network } from "./network.ts"

/** The link's own address of an interface with that hardware address (RFC 4291, appendix A). */
export function linkLocalAddress(macAddress: Uint8Array): bigint {
  const [first = 0, second = 0, third = 0, ...rest] = macAddress
  const bytes = [first ^ 2, second, third, 0xff, 0xfe, ...rest]
  return bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0xfe80n << 48n)
}

/** One that has IPv6. */
export type Ipv6Network = Network & Required<Pick<Network, "subnet6" | "gateway6">>

/** What the choice of an address stands on. */
export interface Address6Choice {
  /** The endpoint's IPv4 address, from which the other follows. */
  address: number
  wanted?: string | undefined
  /** Who has it in this network, if somebody has. */
  holder(address6: string): string | undefined
}

/**
 * The endpoint's address in a network that has IPv6: the one asked for, else the one with the number that its IPv4 address has in the
 * range of that, or the next that nobody has asked for. Throws InvalidArgument or AlreadyExists for `wanted`, Unavailable.
 */
export function chooseAddress6(network: Ipv6Network, choice: Address6Choice): string {
  const range = parseIpv6Range(network.options.ipRange6 ?? network.subnet6)
  const gateway = parseIpv6(network.gateway6)
  if (choice.wanted !== undefined) {
    const address6 = givableAddress6(network, choice.wanted)
    const holder = choice.holder(address6)
    if (holder !== undefined) throw addressInUse(address6, holder)
    return address6
  }
  const others = Object.values(network.options.auxiliary ?? {}).filter((text) => text.includes(":"))
  const reserved = new Set([gateway, ...others.map((text) => parseIpv6(text))])
  const count = lastIpv6Address(range) - range.address
  const place = BigInt(choice.address - parseIpv4Range(network.subnet).address)
  for (let step = 0n; step < count && step < BigInt(MOST_STEPS); step++) {
    // from 1: the first address of a range is that of all its routers (RFC 4291, 2.6.1)
    const address = range.address + ((place + step - 1n) % count) + 1n
    if (!reserved.has(address) && choice.holder(formatIpv6(address)) === undefined) return formatIpv6(address)
  }
  throw new Unavailable(`no IPv6 address is free in network "${network.name}" (${network.subnet6})`, {
    hint: ["remove containers that are no longer needed", { do: "listContainers" }],
  })
}

/** As many endpoints as the largest IPv4 range has. */
const MOST_STEPS = 0x10000

/** An address that is asked for, in its shortest form. Throws InvalidArgument. */
export function givableAddress6(network: Network, text: string): string {
  if (!hasIpv6(network))
    throw new InvalidArgument(`network "${network.name}" has no IPv6 range: it gives no address ${text}`, {
      field: "address6",
      hint: "make a network with one",
    })
  const address = parseIpv6(text, "IPv6 address")
  const range = parseIpv6Range(network.subnet6)
  if (!ipv6Contains(range, address) || address === range.address || address === parseIpv6(network.gateway6))
    throw new InvalidArgument(`address ${text} cannot be given to a container of network "${network.name}"`, {
      field: "address6",
      hint: `choose one in ${network.subnet6} other than its first and the gateway ${network.gateway6}`,
    })
  return formatIpv6(address)
}

/** The network as this host can have it. */
export function withoutIpv6({ subnet6: _subnet, gateway6: _gateway, ...network }: Network): Network {
  return network
}

/** Whether the network has IPv6. */
export function hasIpv6(network: Network): network is Ipv6Network {
  return network.subnet6 !== undefined && network.gateway6 !== undefined
}
