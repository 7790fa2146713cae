import { Unsupported } from "../../base/errors.ts"
import type { NetworkRoute, NetworkWanted } from "../../network/network.ts"
import type { NetworkHabits } from "../compat/network-habits.ts"
import { UsageError } from "../errors/usage-error.ts"
import type { FlagValues } from "../flag.ts"
import type { NETWORK_CREATE_FLAGS } from "./create-flags.ts"

type CreateFlags = FlagValues<typeof NETWORK_CREATE_FLAGS>

const DRIVERS = ["bridge", "macvlan", "ipvlan"] as const

/** Why there are no networks of drivers that are known. */
const REASONS: Readonly<Record<string, string>> = {
  cni: "a network of CNI plugins is a file in /etc/cni/net.d",
  host: 'only one instance of "host" network is allowed',
  null: 'only one instance of "null" network is allowed',
  overlay: "it is swarm's, and there is no swarm",
}

/** What the flags of `network create` ask for. Throws UsageError, Unsupported for what no network here can be. */
export function wantedNetwork(
  name: string,
  flags: CreateFlags,
  { clearsHostBits, hasIpv6, searchDomain }: Pick<NetworkHabits, "clearsHostBits" | "hasIpv6" | "searchDomain">,
): NetworkWanted {
  refuseOthers(flags)
  const [subnet, subnet6] = families("subnet", flags.subnet)
  const [gateway, gateway6] = families("gateway", flags.gateway)
  const [ipRange, ipRange6] = families("range", flags.ipRange)
  const dns = {
    ...(flags.disableDns && { disabled: true }),
    ...(searchDomain !== undefined && !flags.disableDns && driverOf(flags.driver) === "bridge" && { searchDomain }),
    ...(flags.dns.length > 0 && { servers: flags.dns.flatMap((one) => one.split(",")) }),
  }
  return {
    name,
    driver: driverOf(flags.driver),
    ...(subnet !== undefined && { subnet }),
    ...(subnet6 !== undefined && { subnet6 }),
    ...(gateway !== undefined && { gateway }),
    ...(gateway6 !== undefined && { gateway6 }),
    ...(flags.ipv6 === undefined ? !hasIpv6 && { ipv6: false } : { ipv6: flags.ipv6 }),
    clearHostBits: clearsHostBits,
    ...(flags.interfaceName !== undefined && { bridge: flags.interfaceName }),
    options: {
      ...(ipRange !== undefined && { ipRange }),
      ...(ipRange6 !== undefined && { ipRange6 }),
      ...(flags.auxAddress.length > 0 && { auxiliary: Object.fromEntries(flags.auxAddress) }),
      ...(flags.label.length > 0 && { labels: Object.fromEntries(flags.label) }),
      ...(flags.opt.length > 0 && { driverOptions: Object.fromEntries(flags.opt) }),
      ...(flags.internal && { internal: true }),
      ...(flags.allowNet.length > 0 && { allow: flags.allowNet.flat() }),
      ...(flags.rate && Object.keys(flags.rate).length > 0 && { rate: flags.rate }),
      ...(flags.attachable && { attachable: true }),
      ...(Object.keys(dns).length > 0 && { dns }),
      ...(flags.route.length > 0 && { routes: flags.route.map(parseRoute) }),
    },
  }
}

/** The one of IPv4 and the one of IPv6. */
function families(what: string, texts: readonly string[]): [string | undefined, string | undefined] {
  const all = texts.flatMap((text) => text.split(","))
  const [ipv4, second] = all.filter((text) => !text.includes(":"))
  const [ipv6, second6] = all.filter((text) => text.includes(":"))
  const one = second === undefined ? undefined : "IPv4"
  const family = one ?? (second6 === undefined ? undefined : "IPv6")
  if (family !== undefined)
    throw new UsageError(`a network has one ${what} of ${family}: ${all.join(", ")} are several`)
  return [ipv4, ipv6]
}

function driverOf(text = "bridge"): (typeof DRIVERS)[number] {
  const driver = DRIVERS.find((one) => one === text)
  if (driver !== undefined) return driver
  const reason = REASONS[text]
  throw new Unsupported(`unsupported network driver "${text}"${reason === undefined ? "" : `: ${reason}`}`, {
    hint: { valid: DRIVERS },
    data: { object: "driver", name: text },
  })
}

/** What Docker and Podman have, and no network of one host without a daemon. */
function refuseOthers({ scope, ingress, configFrom, configOnly, ipamDriver, ipamOpt, ipv4 }: CreateFlags): void {
  if (ingress || configOnly || configFrom !== undefined)
    throw new Unsupported("networks of a swarm cannot be made: there is no swarm", {
      hint: "leave --ingress, --config-only and --config-from out",
    })
  if (scope !== undefined && scope !== "local")
    throw new Unsupported(`no networks of scope "${scope}" can be made: this engine is of one host`, {
      hint: "valid: local",
    })
  if (ipamDriver !== undefined && !["default", "host-local", ""].includes(ipamDriver))
    throw new Unsupported(`unsupported ipam driver "${ipamDriver}": the records give out addresses`, {
      hint: "valid: default, host-local",
    })
  if (ipamOpt.length > 0)
    throw new Unsupported("the records that give out addresses take no options", { hint: "leave --ipam-opt out" })
  if (!ipv4) throw new Unsupported("every network has IPv4", { hint: "leave --ipv4 out" })
}

/** `10.20.0.0/16,172.18.0.5,100`; whether they fit the network, the network says. */
function parseRoute(text: string): NetworkRoute {
  const [destination = "", gateway = "", metric, ...more] = text.split(",")
  if (destination === "" || gateway === "" || more.length > 0 || (metric !== undefined && !/^\d+$/.test(metric)))
    throw new UsageError(`invalid route "${text}"`, {
      hint: "expected DESTINATION,GATEWAY or DESTINATION,GATEWAY,METRIC",
    })
  return { destination, gateway, ...(metric !== undefined && { metric: Number(metric) }) }
}
