/**
 * The way between the pause process's namespace and the host, for an ordinary user.
 *
 * Out: one pasta holds the default route. In: each container that publishes ports has a pasta of its own, which binds them on
 * the host and brings what arrives to a tap in the pause process's namespace, from the client's own address. From there the same
 * map as root's leads to the container. The answer must leave by that tap, so the container's default route is there: a
 * rule on its address, after all known ways. No process of ours is needed for any of it.
 */
import { mkdirSync, openSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { throwIfAborted } from "../base/cancel.ts"
import { FailedPrecondition, hasErrno, ignoreErrno } from "../base/errors.ts"
import { tryLock, unlockAndClose } from "../sys/libc.ts"
import type { IpAddress } from "../sys/net/ip-bytes.ts"
import type { NetlinkMessage, NetlinkSocket } from "../sys/net/netlink.ts"
import type { Sysctls } from "../sys/net/netns.ts"
import {
  addAddress,
  addDefaultRoute,
  addKnownWaysRule,
  addMarkRule,
  addSourceRule,
  deleteMarkRule,
  deleteSourceRule,
  getLink,
  linkUp,
  setMtu,
} from "../sys/net/rtnetlink.ts"
import { wordsOf } from "./host-place.ts"
import { parseIpv4Range } from "./ipv4.ts"
import { parseIpv6 } from "./ipv6.ts"
import type { Endpoint, Network } from "./network.ts"
import { PASTA_MTU } from "./rootless-addresses.ts"
import { TAP_PREFIX, type PublishedPort } from "./nftables.ts"
import {
  carriesPorts,
  containersWithPorts,
  endPorts,
  isPastaLeaving,
  startEgress,
  startPorts,
  stopEgress,
  stopPorts,
  virtualWays,
  type PastaDeps,
  type Tap,
} from "./pasta.ts"

const EGRESS_POLL_MS = 3
const KNOWN_WAYS_PRIORITY = 9000
const TAP_PRIORITY = 10000
const FIRST_TABLE = 1000

/** What arrives at a tap from anywhere is right, though the way back seems to be another's. */
export const ROOTLESS_SYSCTLS: Sysctls = [
  ["net/ipv4/conf/all/rp_filter", "0"],
  ["net/ipv4/conf/default/rp_filter", "0"],
  // what pasta's interfaces have is what pasta was told
  ["net/ipv6/conf/default/accept_ra", "0"],
  ["net/ipv6/conf/default/accept_dad", "0"],
  ["net/ipv6/conf/all/forwarding", "1"],
  // pasta calls a published port by ::1 of this namespace for who calls ::1 of the host (ipv6-host.ts)
  ["net/bridge/bridge-nf-call-ip6tables", "0"],
]

/**
 * Of containers: how much of one connection may be on its way. pasta drops what the host's socket has no room for at that moment, though
 * it said that there is; with the kernel's 4 MB in flight a sender loses so much that it waits for its timer most of the time (0.04
 * Gbit/s, and 2.5 with this).
 */
const CONTAINER_SYSCTLS: Sysctls = [["net/ipv4/tcp_wmem", "4096\t16384\t524288"]]

/** The uplink of the rootless namespaces, by pasta. */
export class RootlessUplink {
  readonly #pasta: PastaDeps

  constructor(deps: { runRoot: string; netns: string }) {
    this.#pasta = { directory: `${deps.runRoot}/network`, netns: deps.netns }
  }

  /** Settings for containers that send through it; those that somebody asked for are left alone. */
  containerSysctls({ ownSysctls = [] }: Pick<Endpoint, "ownSysctls">): Sysctls {
    return CONTAINER_SYSCTLS.filter(([name]) => !ownSysctls.includes(name.replaceAll("/", ".")))
  }

  /** Makes the uplink, unless it is there; of processes that come at once, one does. */
  async open(signal?: AbortSignal): Promise<void> {
    mkdirSync(this.#pasta.directory, { recursive: true, mode: 0o700 })
    const lock = openSync(`${this.#pasta.directory}/egress.lock`, "a", 0o600)
    try {
      // not by waiting for the lock in the kernel: the holder may be this very process, which goes on meanwhile
      while (!tryLock(lock)) {
        throwIfAborted(signal, "waiting for the uplink")
        await sleep(EGRESS_POLL_MS)
      }
      await startEgress(this.#pasta)
    } finally {
      unlockAndClose(lock)
    }
  }

  /** Throws AlreadyExists when a port is taken on the host. After any throw, `unpublish` takes back what was made. */
  async publish(
    route: NetlinkSocket,
    network: NumberedNetwork,
    containerId: string,
    ports: readonly PublishedPort[],
  ): Promise<void> {
    const [first] = ports
    if (first === undefined) return
    const tap = tapOf(network, first.address)
    const { hasIpv6 } = await startPorts(this.#pasta, containerId, tap, ports)
    for (const { hostAddress, ...port } of ports)
      if (hostAddress.includes(":") && !hasIpv6)
        throw new FailedPrecondition(`cannot publish ${wordsOf({ ...port, hostAddress })}: this host has no IPv6`, {
          field: "ports",
          hint: "publish on an IPv4 address",
        })
    const { index } = getLink(route, tap.interface)
    const table = FIRST_TABLE + tap.number
    const source6 = hasIpv6 && first.address6 !== "" ? parseIpv6(first.address6) : undefined
    for (const source of addressesOf(first)) forgetRules(route, source)
    route.request([
      setMtu(index, tap.interface, PASTA_MTU),
      addAddress(index, tap.interface, tap.address, 32),
      linkUp(index, tap.interface),
      addDefaultRoute(index, tap.interface, { family: "IPv4", table }),
      addSourceRule({ priority: TAP_PRIORITY, source: first.address, table }),
      ...(source6 === undefined
        ? []
        : [
            addAddress(index, tap.interface, tap.address6, 128),
            addDefaultRoute(index, tap.interface, { family: "IPv6", table }),
            addSourceRule({ priority: TAP_PRIORITY, source: source6, table }),
          ]),
    ])
    ignoreErrno("EEXIST", () => route.request([addKnownWaysRule(KNOWN_WAYS_PRIORITY, "IPv4")]))
    if (source6 !== undefined)
      ignoreErrno("EEXIST", () => route.request([addKnownWaysRule(KNOWN_WAYS_PRIORITY, "IPv6")]))
  }

  /** Other ports for a container that runs. What goes through its ports, or out from it, is cut off. Throws as `publish`. */
  async republish(
    route: NetlinkSocket,
    network: NumberedNetwork,
    { containerId, ports, ...own }: { containerId: string; ports: readonly PublishedPort[] } & Addresses,
  ): Promise<void> {
    await this.unbind(containerId)
    for (const address of addressesOf(own)) forgetRules(route, address)
    await this.publish(route, network, containerId, ports)
  }

  /** Gives the container's ports back to the host. `republish` follows, or the next `sweep`. */
  async unbind(containerId: string): Promise<void> {
    await endPorts(this.#pasta, containerId)
  }

  /** Safe to repeat. */
  unpublish(route: NetlinkSocket, containerId: string, endpoint?: Addresses): void {
    stopPorts(this.#pasta, containerId)
    if (endpoint !== undefined) for (const address of addressesOf(endpoint)) forgetRules(route, address)
  }

  /** Leads ports of the host to this namespace itself, by a tap of that number. Throws as `publish`. */
  async openWay(route: NetlinkSocket, way: VirtualWay): Promise<void> {
    const { number, name, ports } = way
    const tap = wayTap(number)
    await startPorts(this.#pasta, name, tap, ports)
    const { index } = getLink(route, tap.interface)
    const table = FIRST_TABLE + number
    this.#forgetWay(route, number)
    route.request([
      setMtu(index, tap.interface, PASTA_MTU),
      addAddress(index, tap.interface, tap.address, 32),
      linkUp(index, tap.interface),
      addDefaultRoute(index, tap.interface, { family: "IPv4", table }),
      // what programs here answer by its address, and what members answer who came by it
      addSourceRule({ priority: TAP_PRIORITY, source: tap.address, table }),
      addMarkRule({ priority: TAP_PRIORITY, mark: number, table }),
    ])
    ignoreErrno("EEXIST", () => route.request([addKnownWaysRule(KNOWN_WAYS_PRIORITY, "IPv4")]))
  }

  /** Safe to repeat. Resolves when its ports are free. */
  async closeWay(route: NetlinkSocket, { number, name }: Pick<VirtualWay, "number" | "name">): Promise<void> {
    await endPorts(this.#pasta, name)
    this.#forgetWay(route, number)
  }

  #forgetWay(route: NetlinkSocket, number: number): void {
    forgetRules(route, wayTap(number).address)
    ignoreErrno("ENOENT", () => route.request([deleteMarkRule({ priority: TAP_PRIORITY, mark: number })]))
  }

  /** Ways that were opened, and not closed since; those that are carried at this moment. */
  ways(): { name: string; number: number; isCarried: boolean }[] {
    return virtualWays(this.#pasta).map((way) => Object.assign(way, { isCarried: carriesPorts(this.#pasta, way.name) }))
  }

  /** Ends every pasta of this store: no container has an uplink any more. Safe to repeat. */
  close(): void {
    for (const containerId of this.published()) stopPorts(this.#pasta, containerId)
    for (const { name } of virtualWays(this.#pasta)) stopPorts(this.#pasta, name)
    stopEgress(this.#pasta)
  }

  /** Whether ports of a container that is gone are still bound, and will soon be free. */
  isLeaving(): boolean {
    return isPastaLeaving(this.#pasta)
  }

  /** Whether the container's ports are bound. */
  isPublished(containerId: string): boolean {
    return carriesPorts(this.#pasta, containerId)
  }

  /** Containers for which a pasta was started and not stopped since. */
  published(): string[] {
    return containersWithPorts(this.#pasta)
  }
}

/** An endpoint's; without IPv6 empty. */
type Addresses = Pick<PublishedPort, "address" | "address6">

function addressesOf({ address, address6 }: Addresses): IpAddress[] {
  return address6 === "" ? [address] : [address, parseIpv6(address6)]
}

/** A network, and its place among those of the store. */
export interface NumberedNetwork extends Network {
  number: number
}

/**
 * One tap for one container address: the numbers of its network and in its range tell them apart, and are not used again at
 * once. What a tap has for an address matters to nobody but its own pasta.
 */
function tapOf(network: NumberedNetwork, address: number): Tap {
  const place = address - parseIpv4Range(network.subnet).address
  const number = network.number * LARGEST_RANGE + place
  // 198.18.0.0/15 is for benchmarks (RFC 2544): no network that a container wants to reach
  const tap = { address: 0xc6120000 + (place % LARGEST_RANGE), address6: TAPS6 + BigInt(number) }
  return { number, interface: `${TAP_PREFIX}${number}`, ...tap }
}

/** Ports of the host that lead to the namespace itself. */
export interface VirtualWay {
  /** From `FIRST_WAY` on: also the mark of connections that came by it. */
  number: number
  /** Of pasta.ts, virtualName. */
  name: string
  ports: readonly PublishedPort[]
}

/** Above the numbers of all addresses of networks. */
export const FIRST_WAY = 0x4000_0000

/** The interface by which it arrives. */
export const wayInterface = (number: number): string => `${TAP_PREFIX}${number}`

/** 198.19.0.0/16: beside those of containers (RFC 2544). */
function wayTap(number: number): Tap {
  const address = 0xc6130000 + (number % 0xff00)
  return { number, interface: wayInterface(number), address, address6: TAPS6 + BigInt(number) }
}

/** fd73:6b69:6666:2::/64, which is ours alone (RFC 4193). */
const TAPS6 = 0xfd73_6b69_6666_0002n << 64n

/** Addresses of a /16. */
const LARGEST_RANGE = 0x10000

/** Also those that a killed process left for an earlier container of this address. */
function forgetRules(route: NetlinkSocket, source: IpAddress): void {
  const message: NetlinkMessage = deleteSourceRule({ priority: TAP_PRIORITY, source })
  for (;;)
    try {
      route.request([message])
    } catch (error) {
      // EAFNOSUPPORT: of IPv6, in a kernel without it
      if (hasErrno(error, "ENOENT", "EAFNOSUPPORT", "EOPNOTSUPP")) return
      throw error
    }
}
