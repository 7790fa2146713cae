import { writeFileSync } from "node:fs"
import type { OciMount } from "../spec/oci-runtime.ts"
import type { ContainerDeps } from "./deps.ts"
import { joinedContainer } from "./network-mode.ts"
import { runDirectory } from "./paths.ts"
import type { ContainerRecord } from "./record.ts"

export interface ContainerFilePaths {
  hosts: string
  resolvConf: string
  hostname: string
}

/** Host paths of the files bound over /etc of a container. One that joins another's network shares that one's. */
export function containerFilePaths(deps: ContainerDeps, record: ContainerRecord): ContainerFilePaths {
  const owner = joinedContainer(deps, record.spec.options.network) ?? record
  const directory = runDirectory(deps, owner.id)
  return {
    hosts: `${directory}/hosts`,
    resolvConf: `${directory}/resolv.conf`,
    hostname: `${directory}/hostname`,
  }
}

/**
 * Writes resolv.conf, hostname and an /etc/hosts of a container, and says how to bind them over its own. A mount of the
 * user's at the same place goes before ours.
 */
export function writeContainerFiles(deps: ContainerDeps, record: ContainerRecord): OciMount[] {
  const { options, run, mounts } = record.spec
  const { network, dns, dnsSearch, dnsOptions } = options
  const paths = containerFilePaths(deps, record)
  if (network.kind !== "container") {
    const kind = network.kind === "bridge" ? "bridge" : "host"
    writeFileSync(paths.resolvConf, deps.files.resolvConf({ kind, dns, dnsSearch, dnsOptions }))
    writeFileSync(paths.hostname, deps.files.hostname(run.hostname))
    // with a bridge its words are known only when the address is: the file is bound by then, and written in place
    if (network.kind === "bridge") writeFileSync(paths.hosts, "")
    else writeHostsFile(deps, record)
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

/** Writes /etc/hosts with the address that the container has by now. Throws InvalidArgument for a bad `--add-host`. */
export function writeHostsFile(deps: ContainerDeps, record: ContainerRecord): void {
  const { options, run } = record.spec
  const { network, domainname, extraHosts } = options
  const { address, gateway } = record.state.attachments[0]?.endpoint ?? {}
  const hostNetwork = network.kind === "host"
  const text = deps.files.hosts({ hostname: run.hostname, domainname, address, gateway, extraHosts, hostNetwork })
  writeFileSync(containerFilePaths(deps, record).hosts, text)
}
