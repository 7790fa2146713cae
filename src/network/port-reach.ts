/** From where published ports are reached, by what they are and what addresses the host has. Pure. */
import type { HostAddress, PortPlace, ReachedPort } from "./network.ts"

/** All ways, the host's own first. */
export function placesOf({ port, addresses }: ReachedPort, host: readonly HostAddress[]): PortPlace[] {
  const { hostPort, containerPort, hostAddress = "" } = port
  const hasIpv6 = addresses.length === 0 || addresses.some(isIpv6)
  const local = LOOPBACKS.filter((address) => isBound(hostAddress, address, hasIpv6))
  const own = host.filter(({ address }) => isBound(hostAddress, address, hasIpv6))
  return [
    ...local.map((address) => ({ from: "this host", address, port: hostPort }) as const),
    ...own.map((one) => Object.assign({ from: "other hosts", port: hostPort } as const, one)),
    ...addresses.map((address) => ({ from: "containers", address, port: containerPort }) as const),
  ]
}

const LOOPBACKS = ["127.0.0.1", "::1"]

function isIpv6(address: string): boolean {
  return address.includes(":")
}

function isBound(hostAddress: string, address: string, hasIpv6: boolean): boolean {
  if (hostAddress === "") return hasIpv6 || !isIpv6(address)
  if (hostAddress === "0.0.0.0") return !isIpv6(address)
  if (hostAddress === "::") return isIpv6(address)
  return hostAddress === address
}
