import { readFileSync } from "node:fs"
import { hasErrno } from "../base/errors.ts"
import { hasOnlyLoopbackServers, hostnameFile, hostsFile, resolvConf } from "../network/container-files.ts"
import type { ContainerFiles } from "../network/network.ts"
import { DNS_FORWARDER, rootlessHostGateway } from "../network/rootless-addresses.ts"
import { rootlessUid } from "../sys/fs/paths.ts"

/** systemd-resolved's own servers, behind the stub on the loopback that /etc/resolv.conf then names. */
const RESOLVED_CONF = "/run/systemd/resolve/resolv.conf"

/** The files over /etc of a container: their texts by `network/`, from this host's. */
export const containerFiles: ContainerFiles = {
  hosts: ({ hostNetwork, gateway, ...input }) =>
    hostsFile({
      ...input,
      hostGateway: input.extraHosts.length > 0 ? hostGateway(gateway) : undefined,
      ...(hostNetwork ? { hostText: readText("/etc/hosts") } : {}),
    }),
  resolvConf: ({ kind, dns, dnsSearch, dnsOptions }) =>
    resolvConf({
      kind,
      hostText: hostResolvConf(),
      dns,
      search: dnsSearch,
      options: dnsOptions,
      ...(isRootless() ? { forwarder: DNS_FORWARDER } : {}),
    }),
  hostname: hostnameFile,
}

/** Rootless, the bridge's gateway is only the pause process's namespace. */
function hostGateway(gateway: string | undefined): string | undefined {
  return gateway !== undefined && isRootless() ? rootlessHostGateway() : gateway
}

function isRootless(): boolean {
  return rootlessUid() !== undefined
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
