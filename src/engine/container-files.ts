import { readFileSync } from "node:fs"
import { hasErrno } from "../base/errors.ts"
import { hasOnlyLoopbackServers, hostnameFile, hostsFile, resolvConf } from "../network/container-files.ts"
import type { ContainerFiles } from "../network/network.ts"
import { newInterfacesHaveIpv6 } from "../sys/net/has-ipv6.ts"
import { DNS_FORWARDER, rootlessHostGateway } from "../network/rootless-addresses.ts"

/** systemd-resolved's own servers, behind the stub on the loopback that /etc/resolv.conf then names. */
const RESOLVED_CONF = "/run/systemd/resolve/resolv.conf"

/** The files over /etc of a container: their texts by `network/`, from this host's. `byPasta`: how its network reaches the host. */
export const containerFiles = (byPasta: boolean): ContainerFiles => ({
  hosts: ({ hostNetwork, gateway, base, ...input }) =>
    hostsFile({
      ...input,
      hostGateway: input.extraHosts.length > 0 ? hostGateway(gateway, byPasta) : undefined,
      ...(base !== undefined ? { hostText: base } : hostNetwork ? { hostText: readText("/etc/hosts") } : {}),
    }),
  resolvConf: ({ kind, dns, dnsSearch, dnsOptions, resolvers, searchDomains = [] }) =>
    resolvConf({
      kind,
      hostText: hostResolvConf(),
      dns,
      search: dnsSearch,
      options: dnsOptions,
      resolvers,
      searchDomains,
      ...(byPasta ? { forwarder: DNS_FORWARDER } : { hasIpv6: newInterfacesHaveIpv6() }),
    }),
  hostname: hostnameFile,
})

/** With pasta, the bridge's gateway is only a namespace between. */
function hostGateway(gateway: string | undefined, byPasta: boolean): string | undefined {
  return gateway !== undefined && byPasta ? rootlessHostGateway() : gateway
}

function hostResolvConf(): string {
  const text = readText("/etc/resolv.conf")
  return (hasOnlyLoopbackServers(text) && readText(RESOLVED_CONF)) || text
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return ""
    throw error
  }
}
