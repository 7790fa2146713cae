/** Asks published ports whether somebody answers: from this host, and as root from a namespace that stands for another host. */
import { closeSync } from "node:fs"
import { randomHex } from "../base/random-hex.ts"
import { isHeldForIpv6, listeningIn, type Listening } from "../sys/net/listening.ts"
import { ipBytes } from "../sys/net/ip-bytes.ts"
import { NETLINK_ROUTE, NetlinkSocket, openNetlink } from "../sys/net/netlink.ts"
import { createNetns, inNetns } from "../sys/net/netns.ts"
import { probePort, type ProbeResult } from "../sys/net/probe-port.ts"
import {
  addAddress,
  addDefaultRoute,
  createPair,
  getLink,
  linkUp,
  listIpBytes,
  listLinks,
} from "../sys/net/rtnetlink.ts"
import { droppingChains } from "./dropping-chains.ts"
import { formatIpv4 } from "./ipv4.ts"
import { formatIpv6, parseIp } from "./ipv6.ts"
import type { HostAddress, PortCheck, PortPlace, ReachedPort } from "./network.ts"
import { placesOf } from "./port-reach.ts"

/** What is asked, and from where it can be. */
export interface CheckedPorts {
  reached: readonly ReachedPort[]
  /** A process in the container's network namespace. */
  pid: number
  /** As root, the host's other half of bridges is in reach, and another host can be played. */
  isRoot: boolean
  /** The hook at which the host's firewall sees what comes to a published port, and the table that is ours. */
  hook: "forward" | "input"
  table: string
  hasLoopback6: boolean
}

const WAIT_MS = { connect: 1500, answer: 300 }
/** Of the namespace that plays another host (RFC 2544), and of the host towards it. */
const PROBE = { own: 0xc613fffe, host: 0xc613fffd, prefixLength: 30 }
const MAIN_MTU = 1500

/** Addresses by which other hosts can know this one: no loopback, no link-local ones, no bridge of containers. */
export function hostAddresses(bridges: ReadonlySet<string>): HostAddress[] {
  using route = new NetlinkSocket(openNetlink(NETLINK_ROUTE))
  const names = new Map(listLinks(route).flatMap(({ index, name, up }) => (up ? [[index, name] as const] : [])))
  return listIpBytes(route).flatMap(({ bytes, interfaceIndex }) => {
    const name = names.get(interfaceIndex)
    if (name === undefined || name === "lo" || bridges.has(name)) return []
    if (bytes.length === 16 && bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80) return []
    return { address: textOf(bytes), interface: name }
  })
}

/** Those ways to a port that there are here. `hasLoopback6`: the kernel leads ::1 to containers. */
export function placesHere(reached: ReachedPort, host: readonly HostAddress[], hasLoopback6: boolean): PortPlace[] {
  const { protocol, hostPort, hostAddress } = reached.port
  const isHeld = (): boolean => (hostAddress ?? "") !== "" || (protocol !== "sctp" && isHeldForIpv6(protocol, hostPort))
  return placesOf(reached, host).filter(({ from, address }) => {
    if (from === "containers" || !address.includes(":")) return true
    return (address !== "::1" || hasLoopback6) && isHeld()
  })
}

function textOf(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  if (bytes.length === 4) return formatIpv4(view.getUint32(0))
  return formatIpv6((view.getBigUint64(0) << 64n) | view.getBigUint64(8))
}

/** One after the other: each is asked within two seconds. */
export async function checkPorts(
  { reached, pid, isRoot, hook, table, hasLoopback6 }: CheckedPorts,
  host: readonly HostAddress[],
): Promise<PortCheck[]> {
  using other = isRoot ? await otherHost() : undefined
  const checks: PortCheck[] = []
  for (const one of reached)
    for (const place of placesHere(one, host, hasLoopback6)) {
      const { protocol, containerPort } = one.port
      if (protocol === "sctp") {
        checks.push({ ...place, mapping: one.port, state: "unknown", reason: "SCTP is not asked" })
        continue
      }
      const listening = listeningIn(pid, protocol, containerPort)
      const asked = protocol === "tcp" ? ask(place, other) : undefined
      checks.push({
        ...place,
        mapping: one.port,
        ...(await verdict(place, { asked, listening, isRoot, hook, table, other })),
      })
    }
  return checks
}

/** Undefined: it cannot be asked from here. */
function ask(place: PortPlace, other: OtherHost | undefined): ProbeResult | undefined {
  const address = ipBytes(parseIp(place.address))
  const probe = (): ProbeResult => probePort(address, place.port, WAIT_MS)
  if (place.from === "containers") return other === undefined ? undefined : probe()
  return place.from === "other hosts" && other !== undefined && address.length === 4 ? other.ask(probe) : probe()
}

interface Asked {
  asked: ProbeResult | undefined
  listening: Listening
  isRoot: boolean
  hook: "forward" | "input"
  table: string
  other: OtherHost | undefined
}

async function verdict(
  place: PortPlace,
  { asked, listening, isRoot, hook, table, other }: Asked,
): Promise<Pick<PortCheck, "state" | "reason">> {
  // pasta takes a call before it has called the container, and on a busy machine hangs up late
  const isBelieved = isRoot || listening === "everywhere"
  if (asked === "open" && isBelieved) return { state: "open", reason: "" }
  if (listening === "nobody") return { state: "closed", reason: "nothing listens on that port in the container" }
  if (listening === "loopback")
    return { state: "closed", reason: "the service listens on the container's loopback alone" }
  if (asked === undefined) return { state: "open", reason: "not asked: somebody listens in the container" }
  if (asked === "refused" || asked === "hung up") return { state: "closed", reason: "the connection was refused" }
  const chains = other === undefined || place.from !== "other hosts" ? [] : await droppingChains(hook, table)
  const reason =
    chains.length === 0 ? "no answer came" : `no answer came: the host's firewall drops in ${chains.join(", ")}`
  return { state: asked === "unreachable" ? "closed" : "filtered", reason }
}

interface OtherHost extends Disposable {
  ask(probe: () => ProbeResult): ProbeResult
}

/** A namespace beside the host, on a link of their own. It goes with its descriptor. */
async function otherHost(): Promise<OtherHost> {
  const netns = await createNetns([], false)
  try {
    using route = new NetlinkSocket(openNetlink(NETLINK_ROUTE))
    const name = `skprobe${randomHex(4)}`
    createPair(route, { name, mtu: MAIN_MTU, peer: { name: "eth0", netns } })
    const { index } = getLink(route, name)
    route.request([addAddress(index, name, PROBE.host, PROBE.prefixLength)])
    inNetns(netns, () => {
      using inside = new NetlinkSocket(openNetlink(NETLINK_ROUTE))
      const link = getLink(inside, "eth0")
      inside.request([
        addAddress(link.index, "eth0", PROBE.own, PROBE.prefixLength),
        linkUp(link.index, "eth0"),
        addDefaultRoute(link.index, "eth0", { gateway: PROBE.host }),
      ])
    })
  } catch (error) {
    closeSync(netns)
    throw error
  }
  return { ask: (probe) => inNetns(netns, probe), [Symbol.dispose]: () => closeSync(netns) }
}
