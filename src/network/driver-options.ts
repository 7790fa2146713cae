/** Options of the bridge driver, in Docker's words and in Podman's. What cannot be had is refused by name. */
import { InvalidArgument, Unsupported } from "../base/errors.ts"
import { isIpv4 } from "../spec/docker/ip-address.ts"
import type { NetworkOptions } from "./network-options.ts"

type Given = Readonly<Record<string, string>>

/** Of IPv6 (RFC 8200); below it an interface loses its IPv6 addresses. */
const LEAST_MTU6 = 1280
const LEAST_MTU = 68
const MOST_MTU = 65_535

const DOCKER = "com.docker.network"

/** Each option that is known, with the check of its value. */
const CHECKS: Readonly<Record<string, (value: string, name: string) => void>> = {
  mtu: checkMtu,
  [`${DOCKER}.driver.mtu`]: checkMtu,
  isolate: oneOf("true", "false", "strict", "1", "0"),
  mode: onlyValue("managed", "every bridge is made and removed with its network"),
  no_default_route: checkBoolean,
  [`${DOCKER}.bridge.name`]: checkInterfaceName,
  [`${DOCKER}.bridge.enable_icc`]: checkBoolean,
  [`${DOCKER}.bridge.enable_ip_masquerade`]: checkBoolean,
  [`${DOCKER}.bridge.host_binding_ipv4`]: checkIpv4,
  [`${DOCKER}.container_iface_prefix`]: checkPrefix,
  [`${DOCKER}.bridge.gateway_mode_ipv4`]: onlyValue("nat", "what containers send is sent by the host's own address"),
  [`${DOCKER}.bridge.gateway_mode_ipv6`]: onlyValue("nat", "what containers send is sent by the host's own address"),
}

/** Options of others that this engine has not, and why. */
const REFUSALS: Readonly<Record<string, string>> = {
  vlan: "a bridge here carries one network",
  vrf: "bridges are in the main routing table",
  metric: "a container has one default route, by its first network or the one with the highest gw-priority",
  parent: "a bridge has no parent interface: it is for macvlan and ipvlan",
  bclim: "it is for macvlan",
  [`${DOCKER}.bridge.default_bridge`]: "the default network is made by the engine alone",
  [`${DOCKER}.bridge.inhibit_ipv4`]: "the bridge's own address is how the engine knows its network",
  [`${DOCKER}.bridge.trusted_host_interfaces`]: "no interface of the host goes past the rules",
  [`${DOCKER}.enable_ipv4`]: "every network has IPv4",
}

/** Throws InvalidArgument for a wrong value or an unknown name, Unsupported for what is known and not to be had. */
export function checkDriverOptions(given: Given): void {
  for (const [name, value] of Object.entries(given)) {
    const check = CHECKS[name]
    if (check !== undefined) {
      check(value, name)
      continue
    }
    const reason = REFUSALS[name]
    if (reason !== undefined)
      throw new Unsupported(`network option "${name}" is not supported: ${reason}`, { field: "driverOptions" })
    throw new InvalidArgument(`unsupported network option "${name}"`, {
      field: "driverOptions",
      hint: { valid: Object.keys(CHECKS) },
    })
  }
}

/** Of the bridge and of both ends of each container on it; undefined: the host's own. */
export function mtuOf({ driverOptions = {} }: Pick<NetworkOptions, "driverOptions">): number | undefined {
  const mtu = Number(driverOptions.mtu ?? driverOptions[`${DOCKER}.driver.mtu`] ?? 0)
  return mtu === 0 ? undefined : mtu
}

/** Whether IPv6 can be had with it. */
export function hasMtu6(options: Pick<NetworkOptions, "driverOptions">): boolean {
  return (mtuOf(options) ?? LEAST_MTU6) >= LEAST_MTU6
}

/** Throws InvalidArgument where it cannot. */
export function checkMtu6(options: Pick<NetworkOptions, "driverOptions">): void {
  if (!hasMtu6(options))
    throw new InvalidArgument(`an MTU of ${mtuOf(options)} is too small for IPv6`, {
      field: "driverOptions",
      hint: `minimum: ${LEAST_MTU6}`,
    })
}

/** The name that a user wants the bridge to have on the host. */
export function bridgeNameOf({ driverOptions = {} }: Pick<NetworkOptions, "driverOptions">): string | undefined {
  return driverOptions[`${DOCKER}.bridge.name`]
}

/** What the interfaces of containers are called on it, before their number. */
export function interfacePrefixOf({ driverOptions = {} }: Pick<NetworkOptions, "driverOptions">): string {
  return driverOptions[`${DOCKER}.container_iface_prefix`] ?? "eth"
}

/** linux/if.h, dev_valid_name: and no word that a shell or nft would read otherwise. Throws InvalidArgument. */
export function checkInterfaceName(name: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/.test(name))
    throw new InvalidArgument(`invalid interface name "${name}"`, {
      field: "bridge",
      hint: "at most 15 letters, digits, dots, dashes and underscores",
    })
}

function checkMtu(value: string, name: string): void {
  const mtu = Number(value)
  // Docker's 0: none is wanted
  if (!/^\d+$/.test(value) || (mtu !== 0 && (mtu < LEAST_MTU || mtu > MOST_MTU)))
    throw wrong(name, value, `expected a number from ${LEAST_MTU} to ${MOST_MTU}`)
}

function checkIpv4(value: string, name: string): void {
  if (!isIpv4(value)) throw wrong(name, value, "expected an IPv4 address of this host")
}

/** A number follows it, of two digits at most. */
function checkPrefix(value: string, name: string): void {
  if (!/^[A-Za-z][A-Za-z0-9_.-]{0,12}$/.test(value) || value === "lo")
    throw wrong(name, value, "expected at most 13 letters, digits, dots, dashes and underscores")
}

function checkBoolean(value: string, name: string): void {
  if (!/^(?:1|t|true|0|f|false)$/i.test(value)) throw wrong(name, value, "expected true or false")
}

function oneOf(...words: string[]): (value: string, name: string) => void {
  return (value, name) => {
    if (!words.includes(value)) throw wrong(name, value, { valid: words })
  }
}

function onlyValue(word: string, reason: string): (value: string, name: string) => void {
  return (value, name) => {
    if (value !== word)
      throw new Unsupported(`network option "${name}=${value}" is not supported: ${reason}`, {
        field: "driverOptions",
        hint: { valid: [word] },
      })
  }
}

function wrong(name: string, value: string, hint: string | { valid: string[] }): InvalidArgument {
  return new InvalidArgument(`invalid value "${value}" of network option "${name}"`, { field: "driverOptions", hint })
}
