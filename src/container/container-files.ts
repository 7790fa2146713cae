import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { InvalidArgument } from "../base/errors.ts"
import { log } from "../base/log.ts"
import type { EndpointStatus } from "../network/network.ts"
import type { OciMount } from "../spec/oci-runtime.ts"
import { readFileInRoot } from "../sys/fs/confined.ts"
import { MountFlag, mountAt } from "../sys/fs/mount.ts"
import type { ContainerDeps } from "./deps.ts"
import { joinedContainer } from "./network-mode.ts"
import { runDirectory } from "./paths.ts"
import type { ContainerRecord } from "./record.ts"

/** Host paths of the three files. */
export interface ContainerFilePaths {
  hosts: string
  resolvConf: string
  hostname: string
}

/**
 * As much as a container may write into them: they lie on a file system of their own, for /run is the host's, and who fills that
 * stops more than containers.
 */
const SIZE_LIMIT = "1m"

/** Where they are, mounted by `writeContainerFiles`, and unmounted at the container's end. */
export function filesDirectory(deps: Pick<ContainerDeps, "runRoot">, id: string): string {
  return `${runDirectory(deps, id)}/etc`
}

/** Mounts the place of a container's own files. */
export function mountFiles(deps: Pick<ContainerDeps, "runRoot">, id: string): void {
  const directory = filesDirectory(deps, id)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  mountAt(directory, {
    type: "tmpfs",
    source: "skiff",
    data: [`size=${SIZE_LIMIT}`, "nr_inodes=16", "mode=0755"],
    flags: MountFlag.noSuid | MountFlag.noDev | MountFlag.noExec,
  })
}

/** Host paths of the files bound over /etc of a container. One that joins another's network shares that one's. */
export function containerFilePaths(deps: ContainerDeps, record: ContainerRecord): ContainerFilePaths {
  const owner = joinedContainer(deps, record.spec.options.network) ?? record
  const directory = filesDirectory(deps, owner.id)
  return {
    hosts: `${directory}/hosts`,
    resolvConf: `${directory}/resolv.conf`,
    hostname: `${directory}/hostname`,
  }
}

/**
 * Writes resolv.conf, hostname and an /etc/hosts of a container, and says how to bind them over its own. A mount of the
 * user's at the same place goes before ours. `shared`: the endpoints of its sandbox.
 */
export function writeContainerFiles(
  deps: ContainerDeps,
  record: ContainerRecord,
  shared: readonly EndpointStatus[],
): OciMount[] {
  const { options, run, mounts } = record.spec
  const { network } = options
  const paths = containerFilePaths(deps, record)
  if (network.kind !== "container") {
    mountFiles(deps, record.id)
    writeResolvConf(deps, record, shared)
    writeFileSync(paths.hostname, deps.files.hostname(run.hostname))
    // with a bridge its words are known only when the address is: the file is bound by then, and written in place
    if (network.kind === "bridge") writeFileSync(paths.hosts, "")
    else writeHostsFile(deps, record, shared[0])
  }
  const bind = (destination: string, source: string): OciMount[] =>
    mounts.some((mount) => mount.target === destination)
      ? []
      : [{ destination, type: "bind", source, options: ["rbind", "rprivate"] }]
  return [
    ...(options.etc?.noResolvConf === true ? [] : bind("/etc/resolv.conf", paths.resolvConf)),
    ...(options.etc?.noHostname === true ? [] : bind("/etc/hostname", paths.hostname)),
    ...(options.etc?.noHosts === true ? [] : bind("/etc/hosts", paths.hosts)),
  ]
}

/**
 * Writes resolv.conf for the networks that the container is on by now: where one knows names of containers, its resolver is asked for
 * all. Safe to repeat. Throws InvalidArgument for a bad `--dns`, `--dns-search` or `--dns-option`.
 */
export function writeResolvConf(
  deps: ContainerDeps,
  record: ContainerRecord,
  endpoints: readonly AskedEndpoint[],
): void {
  writeFileSync(containerFilePaths(deps, record).resolvConf, resolvConfText(deps, record, endpoints))
}

/** Which resolver an endpoint has asked, if any. */
type AskedEndpoint = Pick<EndpointStatus, "nameServer" | "searchDomain">

/** The same, in a container that runs: unless the file is not, but for the order of its lines, what was written for the endpoints before. */
export function rewriteResolvConf(
  deps: ContainerDeps,
  record: ContainerRecord,
  before: readonly AskedEndpoint[],
  after: readonly AskedEndpoint[],
): void {
  const path = containerFilePaths(deps, record).resolvConf
  const [old, text] = [resolvConfText(deps, record, before), resolvConfText(deps, record, after)]
  if (old === text) return
  try {
    if (linesOf(readFileSync(path, "utf8")) === linesOf(old)) writeFileSync(path, text)
  } catch (error) {
    // the container may have filled its file system
    log.warn(`resolv.conf of container "${record.name}" is as it was`, { reason: String(error) })
  }
}

const linesOf = (text: string): string => text.split("\n").toSorted().join("\n")

function resolvConfText(deps: ContainerDeps, { spec }: ContainerRecord, endpoints: readonly AskedEndpoint[]): string {
  const { network, dns, dnsSearch, dnsOptions } = spec.options
  const hasLoopback = network.kind === "bridge" || network.kind === "pasta" || endpoints.length > 0
  const kind = hasLoopback ? "bridge" : "host"
  const resolvers = endpoints.flatMap(({ nameServer }) => nameServer ?? [])
  const searchDomains = endpoints.flatMap(({ searchDomain }) => searchDomain ?? [])
  return deps.files.resolvConf({ kind, dns, dnsSearch, dnsOptions, resolvers, searchDomains })
}

const MAX_HOSTS_BYTES = 512 * 1024

/** What was asked for in the place of the local names. Throws InvalidArgument. */
function hostsBase(deps: ContainerDeps, { id, spec }: ContainerRecord): string | undefined {
  const base = spec.options.etc?.hostsBase
  if (base === undefined) return undefined
  if (base.kind === "none") return ""
  if (base.kind === "image") {
    const bytes = readFileInRoot(`${runDirectory(deps, id)}/rootfs`, "/etc/hosts", MAX_HOSTS_BYTES)
    return bytes === undefined ? "" : Buffer.from(bytes).toString("utf8")
  }
  try {
    return readFileSync(base.path, "utf8")
  } catch (cause) {
    throw new InvalidArgument(`cannot read the hosts file "${base.path}"`, { field: "etc.hostsBase", cause })
  }
}

/**
 * Writes /etc/hosts with the address that the container has by now, and `more` lines of its other networks. Throws InvalidArgument for a bad
 * `--add-host`.
 */
export function writeHostsFile(
  deps: ContainerDeps,
  record: ContainerRecord,
  endpoint: EndpointStatus | undefined,
  more = "",
): void {
  const { options, run } = record.spec
  const { network, domainname, etc } = options
  const { address, address6, gateway } = endpoint ?? {}
  const hostNetwork = network.kind === "host"
  const base = hostsBase(deps, record)
  const named = etc?.ownName === true && record.name !== run.hostname ? record.name : undefined
  const own = { hostname: run.hostname, domainname, name: named, address, address6, gateway }
  const gatewayNames = gateway === undefined ? [] : (etc?.gatewayNames ?? [])
  const extraHosts = [
    ...options.extraHosts,
    ...(gatewayNames.length > 0 ? [`${gatewayNames.join(" ")}:host-gateway`] : []),
  ]
  const text = deps.files.hosts({ ...own, extraHosts, hostNetwork, base })
  writeFileSync(containerFilePaths(deps, record).hosts, `${text}${more}`)
}
