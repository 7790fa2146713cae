import { defined } from "../../../base/defined.ts"
import type { NetworkRequest } from "../../../container/container.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { readGatewayPriority, readLinkLocal } from "../../container-flags/network-text.ts"
import { flag } from "../../flag.ts"
import {
  applyDriverOption,
  parseDriverOption,
  parseIpv4Address,
  parseIpv6Address,
  parseLink,
  parseMacAddress,
} from "../../../spec/docker/endpoint-words.ts"

export default command({
  summary: "Connect a container to a network",
  args: [arg.one("NETWORK", "networks"), arg.one("CONTAINER", "containers")],
  flags: {
    alias: flag.strings("Add network-scoped alias for the container", "strings"),
    driverOpt: flag.list(parseDriverOption, "Driver options for the network", "strings"),
    gwPriority: flag.of(readGatewayPriority, "Highest gw-priority provides the default gateway", "int"),
    ip: flag.of(parseIpv4Address, 'IPv4 address (e.g., "172.30.100.104")', "string"),
    ip6: flag.of(parseIpv6Address, 'IPv6 address (e.g., "2001:db8::33")', "string"),
    link: flag.list(parseLink, "Add link to another container"),
    linkLocalIp: flag.list(readLinkLocal, "Add a link-local address for the container (refused)", "strings"),
    macAddress: flag.of(parseMacAddress, "Set a static ethernet address (e.g., 92:d0:c6:0a:29:33)", "string"),
  },
  async run({ args: [network, container], flags, engine }) {
    const request: NetworkRequest = {
      network,
      ...defined({
        address: flags.ip,
        address6: flags.ip6,
        macAddress: flags.macAddress,
        gatewayPriority: flags.gwPriority,
        aliases: flags.alias.length > 0 ? flags.alias : undefined,
        links: flags.link.length > 0 ? flags.link : undefined,
      }),
    }
    for (const option of flags.driverOpt) applyDriverOption(request, option)
    const containers = await engine.containers()
    await containers.connect(container, request)
  },
})
