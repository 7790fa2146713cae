/** What a container is to have on a network, in the words of flags and files. */
import { InvalidArgument } from "../../base/errors.ts"
import { parseKeyValue } from "./environment.ts"
import { isIpv4, isIpv6 } from "./ip-address.ts"

const IFNAME = "com.docker.network.endpoint.ifname"
const SYSCTLS = "com.docker.network.endpoint.sysctls"

/** What options of a driver say of an endpoint. */
export interface EndpointDriverOptions {
  interface?: string
  sysctls?: Readonly<Record<string, string>>
  /** As given. */
  driverOptions?: Readonly<Record<string, string>>
}

/** Docker's two options of an endpoint: what its interface is called, and settings of that. Throws InvalidArgument. */
export function applyDriverOption(request: EndpointDriverOptions, [key, value]: readonly [string, string]): void {
  if (key === IFNAME) request.interface = value
  else if (key === SYSCTLS)
    request.sysctls = { ...request.sysctls, ...Object.fromEntries(value.split(",").map(parseSysctl)) }
  else
    throw new InvalidArgument(`unknown driver option "${key}" of an endpoint`, {
      hint: `known: ${IFNAME}, ${SYSCTLS}`,
    })
  request.driverOptions = { ...request.driverOptions, [key]: value }
}

function parseSysctl(text: string): [string, string] {
  // docker's client writes all in small letters
  const [key, value] = parseDriverOption(text)
  return [key.replace(/\.ifname\./i, ".IFNAME."), value]
}

/** `KEY=VALUE`. Throws InvalidArgument. */
export function parseDriverOption(text: string): [string, string] {
  if (!/^[^=]+=./.test(text)) throw new InvalidArgument("invalid key/value pair format in driver options")
  return parseKeyValue(text)
}

/** Throws InvalidArgument. */
export function parseIpv4Address(text: string): string {
  if (!isIpv4(text)) throw new InvalidArgument(`${text} is not an IPv4 address`)
  return text
}

/** Throws InvalidArgument. */
export function parseIpv6Address(text: string): string {
  if (!isIpv6(text)) throw new InvalidArgument(`${text} is not an IPv6 address`)
  return text
}

/** Six bytes, as `92:d0:c6:0a:29:33`; with dashes, too, as Go reads it. Throws InvalidArgument. */
export function parseMacAddress(text: string): string {
  const mac = text.toLowerCase().replaceAll("-", ":")
  if (!/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/.test(mac)) throw new InvalidArgument(`${text} is not a mac address`)
  // IEEE 802: the lowest bit of the first byte says a group
  if ((Number.parseInt(mac.slice(0, 2), 16) & 1) !== 0)
    throw new InvalidArgument(`${text} is the mac address of a group, and no interface's`)
  return mac
}

/** `NAME` or `NAME:ALIAS`; gives the latter. Throws InvalidArgument. */
export function parseLink(text: string): string {
  const [name = "", alias = name, ...more] = text.split(":")
  if (name === "" || alias === "" || more.length > 0) throw new InvalidArgument(`bad format for links: ${text}`)
  return `${name}:${alias}`
}

/** The guard of a bridge lets a container send with its own address alone: for every word that asks for another. */
export function noLinkLocal(): InvalidArgument {
  return new InvalidArgument(
    "a container has no link-local address: it sends with the addresses of its network alone",
    { hint: "choose one of the network's own range" },
  )
}
