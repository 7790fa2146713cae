/** What is asked of a new network, checked as far as the words alone tell. Pure. */
import { InvalidArgument, Unsupported } from "../base/errors.ts"
import { isIpAddress } from "../spec/docker/ip-address.ts"
import { checkIpv4, checkIpv6 } from "./check-ranges.ts"
import { bridgeNameOf, checkDriverOptions, checkInterfaceName, checkMtu6 } from "./driver-options.ts"
import { withoutHostBits } from "./host-bits.ts"
import { contains, parseIpv4, parseIpv4Range } from "./ipv4.ts"
import { ipv6Contains, parseIpv6, parseIpv6Range } from "./ipv6.ts"
import { checkNetworkName } from "./network-name.ts"
import { checkParentOptions } from "./parent-options.ts"
import type { NetworkRoute } from "./network-options.ts"
import type { NetworkWanted } from "./network.ts"

/**
 * The same with all ranges and addresses in their shortest form, and a gateway for each range that is given. Throws InvalidArgument with
 * the field, Unsupported.
 */
export function checkedNetwork({ clearHostBits, ...asked }: NetworkWanted): NetworkWanted {
  const wanted = clearHostBits ? { ...asked, ...clearedSubnets(asked) } : asked
  checkNetworkName(wanted.name)
  const { driver = "bridge", options = {} } = wanted
  if (driver === "cni")
    throw new Unsupported('networks of driver "cni" are made by their files in /etc/cni/net.d', {
      field: "driver",
      hint: { valid: ["bridge", "macvlan", "ipvlan"] },
      data: { object: "driver", name: driver },
    })
  if (driver === "bridge") checkDriverOptions(options.driverOptions ?? {})
  else checkParentOptions({ driver, options })
  const parent = driver === "bridge" ? undefined : options.driverOptions?.parent
  const bridge = wanted.bridge ?? parent ?? bridgeNameOf(options)
  if (bridge !== undefined) checkInterfaceName(bridge)
  const checked = { ...wanted, ...checkIpv4(wanted), ...checkIpv6(wanted), ...(bridge !== undefined && { bridge }) }
  if (checked.subnet6 !== undefined || wanted.ipv6) checkMtu6(options)
  checkAuxiliary(checked)
  for (const server of options.dns?.servers ?? [])
    if (!isIpAddress(server))
      throw new InvalidArgument(`invalid name server "${server}"`, {
        field: "options.dns",
        hint: "expected an IP address",
      })
  const routes = options.routes?.map((route) => checkedRoute(checked, route))
  return routes === undefined ? checked : { ...checked, options: { ...checked.options, routes } }
}

function clearedSubnets({ subnet, subnet6 }: NetworkWanted): Pick<NetworkWanted, "subnet" | "subnet6"> {
  return {
    ...(subnet !== undefined && { subnet: withoutHostBits(subnet, "subnet") }),
    ...(subnet6 !== undefined && { subnet6: withoutHostBits(subnet6, "subnet") }),
  }
}

/** Addresses that are set aside lie in a range of the network, and no two names have one. */
function checkAuxiliary({ subnet, gateway, subnet6, gateway6, options = {} }: NetworkWanted): void {
  const seen = new Set([gateway, gateway6])
  for (const [name, address] of Object.entries(options.auxiliary ?? {})) {
    const isInside = address.includes(":")
      ? subnet6 !== undefined && ipv6Contains(parseIpv6Range(subnet6), parseIpv6(address, "auxiliary address"))
      : subnet !== undefined && contains(parseIpv4Range(subnet), parseIpv4(address, "auxiliary address"))
    if (!isInside)
      throw new InvalidArgument(`no matching subnet for auxiliary address ${name}=${address}`, {
        field: "options.auxiliary",
      })
    if (seen.has(address))
      throw new InvalidArgument(`auxiliary address ${name}=${address} is somebody's already`, {
        field: "options.auxiliary",
      })
    seen.add(address)
  }
}

/** A route leads by a neighbour of the network. */
function checkedRoute({ subnet, subnet6 }: NetworkWanted, route: NetworkRoute): NetworkRoute {
  const isIpv6 = route.destination.includes(":")
  const destination = withoutHostBits(route.destination, "options.routes")
  if (route.gateway.includes(":") !== isIpv6)
    throw new InvalidArgument(`route to ${destination} and its gateway ${route.gateway} are of two families`, {
      field: "options.routes",
    })
  const isNeighbour = isIpv6
    ? subnet6 === undefined || ipv6Contains(parseIpv6Range(subnet6), parseIpv6(route.gateway, "gateway"))
    : subnet === undefined || contains(parseIpv4Range(subnet), parseIpv4(route.gateway, "gateway"))
  if (!isNeighbour)
    throw new InvalidArgument(
      `route to ${destination}: gateway ${route.gateway} is not in ${isIpv6 ? subnet6 : subnet}`,
      {
        field: "options.routes",
      },
    )
  return { ...route, destination }
}
