import type { NetlinkSocket } from "../sys/net/netlink.ts"
import type { Link } from "../sys/net/rtnetlink.ts"
import { kernelHasIpv6, newInterfacesHaveIpv6 } from "../sys/net/has-ipv6.ts"
import { findBridge, makeBridge } from "./bridge.ts"
import { hasIpv6, withoutIpv6 } from "./choose-ipv6.ts"
import type { HostSide } from "./host-side.ts"
import { forwardingSysctls } from "./ipv6-host.ts"
import type { KernelNames } from "./names.ts"
import type { Network } from "./network.ts"
import { bridgeQueueName } from "./queue.ts"
import type { EndpointRecords } from "./records.ts"
import { PASTA_MTU } from "./rootless-addresses.ts"
import { ROOTLESS_SYSCTLS } from "./rootless-uplink.ts"

/** What bridges are made of. */
export interface NetworkBridgesDeps {
  names: KernelNames
  host: HostSide
  records: EndpointRecords
  /** The bridges are in a namespace that reaches the host by pasta. */
  byPasta: boolean
}

/** Of most links. */
export const ETHERNET_MTU = 1500

/** The bridges of one store, each made when the first container needs it. */
export class NetworkBridges {
  readonly #deps: NetworkBridgesDeps

  constructor(deps: NetworkBridgesDeps) {
    this.#deps = deps
  }

  /** The network as the namespace of the bridges can have it: without IPv6 where that has none. */
  possible(network: Network): Network {
    if (!hasIpv6(network)) return network
    return (this.#deps.byPasta ? kernelHasIpv6() : newInterfacesHaveIpv6()) ? network : withoutIpv6(network)
  }

  /** The network's bridge, made if it is not there. */
  async ensure(route: NetlinkSocket, network: Network): Promise<Link> {
    return findBridge(route, network, this.#deps.names.alias) ?? (await this.make(route, network))
  }

  /** Makes the bridge, or gives one that is there what it should have. Safe to repeat. */
  async make(route: NetlinkSocket, network: Network): Promise<Link> {
    const { names, host, records, byPasta } = this.#deps
    const { rate } = network.options
    const own = byPasta ? ROOTLESS_SYSCTLS : hasIpv6(network) ? forwardingSysctls(network.bridge) : []
    return await makeBridge(route, network, {
      alias: names.alias,
      writeSysctls: (sysctls) => host.writeSysctls([...sysctls, ...own]),
      hostInterfaces: records
        .list()
        .filter(({ networkId }) => networkId === network.id)
        .map(({ hostInterface }) => hostInterface),
      loopback: byPasta,
      mtu: byPasta ? (rate === undefined ? PASTA_MTU : ETHERNET_MTU) : undefined,
      async limit() {
        if (rate === undefined) return
        const { setRate } = await import("./rate-limit.ts")
        setRate(route, { link: network.bridge, queue: bridgeQueueName(network.bridge), rate })
      },
    })
  }
}
