import { existsSync, readFileSync } from "node:fs"
import type { LaunchStep } from "../../container/container.ts"
import type { ObservedNetwork } from "../../network/network.ts"
import { shellLine, shellWord } from "./shell-words.ts"
import type { ExplainedStep } from "./step.ts"

type NetworkStep = LaunchStep & { kind: "network" }

/** The veth pair, the address, the firewall's elements and the published ports, as the kernel has them now. */
export function networkSteps({ attachments, pid }: NetworkStep, seen: ObservedNetwork | undefined): ExplainedStep[] {
  if (attachments.length === 0 || seen === undefined) return [{ key: "noNetwork", values: {}, shell: [] }]
  return attachments.flatMap(({ endpoint }) => {
    if (endpoint === undefined) return []
    const link = seen.interfaces.find(({ name }) => name === endpoint.interface)
    if (link?.hostEnd === undefined) return []
    return [
      vethStep({ ...link, hostEnd: link.hostEnd }, endpoint, seen),
      addressStep(endpoint, pid),
      ...firewallSteps(seen, endpoint),
    ]
  })
}

type Endpoint = NonNullable<NetworkStep["attachments"][number]["endpoint"]>
type VethEnd = ObservedNetwork["interfaces"][number] & { hostEnd: { name: string; bridge: string } }

function vethStep(link: VethEnd, endpoint: Endpoint, seen: ObservedNetwork): ExplainedStep {
  const { gateway, prefixLength, gateway6, prefixLength6 } = endpoint
  const { name, macAddress, mtu, hostEnd } = link
  const host = outside(seen)
  const { bridge } = hostEnd
  const make = [
    `${host}ip link add ${bridge} type bridge`,
    `${host}ip address add ${gateway}/${prefixLength} dev ${bridge}`,
    ...(gateway6 === undefined ? [] : [`${host}ip address add ${gateway6}/${prefixLength6} dev ${bridge} nodad`]),
    `${host}ip link set ${bridge} up`,
  ].join("; ")
  return {
    key: "veth",
    values: { host: hostEnd.name, inside: name, bridge },
    shell: [
      `inside sh -c ${shellWord(settingsOf(endpoint))}`,
      `${host}ip link show ${bridge} > /dev/null 2>&1 || { ${make}; }`,
      `${host}${shellLine("ip", "link", "add", hostEnd.name, "mtu", mtu, "type", "veth", "peer", "name", name, "address", macAddress, "mtu", mtu, "netns")} "$P"`,
      `${host}${shellLine("ip", "link", "set", hostEnd.name, "master", bridge, "up")}`,
      `${host}${shellLine("bridge", "link", "set", "dev", hostEnd.name, "hairpin", "on")}`,
    ],
  }
}

/** Without IPv6 on its network the interface has none either; with it, its addresses are those that it is given. */
function settingsOf({ address6 }: Endpoint): string {
  const settings =
    address6 === undefined ? [["disable_ipv6", 1]] : ["accept_ra", "autoconf", "accept_dad"].map((name) => [name, 0])
  return settings.map(([name, value]) => `echo ${value} > /proc/sys/net/ipv6/conf/default/${name}`).join("; ")
}

function addressStep(endpoint: Endpoint, pid: number): ExplainedStep {
  const { interface: name, address, prefixLength, gateway, address6, prefixLength6, gateway6 } = endpoint
  const hasDefaultRoute = defaultRouteOf(pid) === name
  const addresses = [`${address}/${prefixLength}`, ...(address6 === undefined ? [] : [`${address6}/${prefixLength6}`])]
  const gateways = gateway6 === undefined ? [gateway] : [gateway, gateway6]
  const add = (one: string): string =>
    one.includes(":")
      ? shellLine("ip", "address", "add", one, "dev", name, "nodad")
      : shellLine("ip", "address", "add", one, "brd", "+", "dev", name)
  return {
    key: "address",
    values: { address: addresses.join(", "), gateway: gateways.join(", "), inside: name },
    shell: [
      ...addresses.map((one) => `inside ${add(one)}`),
      `inside ${shellLine("ip", "link", "set", name, "up")}`,
      ...(hasDefaultRoute
        ? gateways.map((one) => `inside ${shellLine("ip", "route", "add", "default", "via", one, "dev", name)}`)
        : []),
    ],
  }
}

/** proc_pid_net: the interface whose destination is everything. */
function defaultRouteOf(pid: number): string | undefined {
  const path = `/proc/${pid}/net/route`
  if (!existsSync(path)) return undefined
  const lines = readFileSync(path, "latin1").split("\n").slice(1)
  return lines
    .map((line) => line.split("\t"))
    .find(([, to, , , , , , mask]) => to === "00000000" && mask === "00000000")?.[0]
}

function firewallSteps(seen: ObservedNetwork, { ports, address }: Endpoint): ExplainedStep[] {
  const { elements, table } = seen
  const line = ({ family, name, element }: (typeof elements)[number]): string =>
    `${outside(seen)}${shellLine("nft", "add", "element", family, table, name)} ${shellWord(`{ ${element} }`)}`
  const guard = elements.filter(({ family }) => family === "bridge")
  const published = elements.filter(({ family }) => family === "inet")
  const numbers = ports.map(({ hostPort, containerPort, protocol }) => `${hostPort} → ${containerPort}/${protocol}`)
  return [
    ...(guard.length === 0 ? [] : [{ key: "firewall" as const, values: { address, table }, shell: guard.map(line) }]),
    ...(ports.length === 0
      ? []
      : [{ key: "ports" as const, values: { ports: numbers.join(", ") }, shell: published.map(line) }]),
    // an ordinary user's packets come from sockets of the host
    ...(ports.length === 0 || seen.hostNetns === undefined ? [] : [{ key: "pasta" as const, values: {}, shell: [] }]),
  ]
}

/** Where bridges and rules are not in the host's namespace. */
function outside({ hostNetns }: ObservedNetwork): string {
  return hostNetns === undefined ? "" : `nsenter ${shellWord(`--net=${hostNetns}`)} `
}
