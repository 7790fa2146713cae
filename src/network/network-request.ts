/** A network that a container, or a sandbox, is to be on. All but the name may be left out. */
export interface NetworkRequest {
  /** Name or id. */
  network: string
  /** Default: any that is free; the same again after a stop, where that is still free. */
  address?: string
  address6?: string
  macAddress?: string
  /** Further names of the container on this network. */
  aliases?: readonly string[]
  /** Of its interface. Default: what the network says, else `eth` and the next free number. */
  interface?: string
  /** Containers of this network by other names, which this container alone knows: `NAME:ALIAS`. */
  links?: readonly string[]
  /** Settings of its interface: keys below /proc/sys/net, with `IFNAME` for the interface's name. */
  sysctls?: Readonly<Record<string, string>>
  /** As given, to be shown. */
  driverOptions?: Readonly<Record<string, string>>
  /** The network with the highest one has the uplink and the published ports; of equals the first. Default 0. */
  gatewayPriority?: number
}

/** The same request without the addresses, which one container has at a time. */
export function withoutAddresses(request: NetworkRequest): NetworkRequest {
  const { address: _, address6: __, macAddress: ___, ...rest } = request
  return rest
}
