import { writeFileSync } from "node:fs"
import type { OciMount } from "../spec/oci-runtime.ts"
import type { ContainerHost } from "./host.ts"
import { joinedContainer } from "./network-mode.ts"
import { runDirectory } from "./places.ts"
import type { ContainerRecord } from "./record.ts"

export interface ContainerFilePaths {
  hosts: string
  resolvConf: string
  hostname: string
}

/** Host paths of the files bound over /etc of a container. One that joins another's network shares that one's. */
export function containerFilePaths(host: ContainerHost, record: ContainerRecord): ContainerFilePaths {
  const owner = joinedContainer(host, record.spec.options.network) ?? record
  const directory = runDirectory(host, owner.id)
  return {
    hosts: `${directory}/hosts`,
    resolvConf: `${directory}/resolv.conf`,
    hostname: `${directory}/hostname`,
  }
}

/**
 * Writes /etc/hosts, resolv.conf and hostname of a container, in place (they may be bound already), and says how to bind
 * them. A mount of the user's at the same place goes before ours.
 */
export function writeContainerFiles(host: ContainerHost, record: ContainerRecord): OciMount[] {
  const { options, run, mounts } = record.spec
  const { network, domainname, extraHosts, dns, dnsSearch, dnsOptions } = options
  const paths = containerFilePaths(host, record)
  if (network.kind !== "container") {
    const { address, gateway } = record.state.endpoint ?? {}
    const { hostname } = run
    const hostNetwork = network.kind === "host"
    const kind = network.kind === "bridge" ? "bridge" : "host"
    // a bridge's address and gateway are known after the runtime's create, which binds the file: written in place then
    const isEarly = network.kind === "bridge" && address === undefined
    const hosts = isEarly ? "" : host.files.hosts({ hostname, domainname, address, gateway, extraHosts, hostNetwork }))
    writeFileSync(paths.resolvConf, host.files.resolvConf({ kind, dns, dnsSearch, dnsOptions }))
    writeFileSync(paths.hostname, host.files.hostname(hostname))
  }
  const bind = (destination: string, source: string): OciMount[] =>
    mounts.some((mount) => mount.target === destination)
      ? []
      : [{ destination, type: "bind", source, options: ["rbind", "rprivate"] }]
  return [
    ...bind("/etc/resolv.conf", paths.resolvConf),
    ...bind("/etc/hostname", paths.hostname),
    ...bind("/etc/hosts", paths.hosts),
  ]
}
