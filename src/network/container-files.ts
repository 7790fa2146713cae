/**
 * Text of the files that name things in a container: /etc/hosts, /etc/hostname, /etc/resolv.conf. Pure; the writer binds them.
 *
 * | network        | hosts                                | resolv.conf                                             |
 * | bridge         | `hostsFile` with the address         | `resolvConf`: name servers of the loopback left out      |
 * | none           | `hostsFile` without one              | `resolvConf` of kind "host"                             |
 * | host           | `hostsFile` on the host's own text   | `resolvConf` of kind "host": the host's name servers    |
 * | container:ID   | the other container's files are bound, its hostname too; --dns and --add-host are refused, as docker does |
 */
import { InvalidArgument } from "../base/errors.ts"
import { isIpAddress, isIpv4 } from "../spec/docker/ip-address.ts"
import { parseIpv6 } from "./ipv6.ts"

/** What /etc/hosts is made from. */
export interface HostsInput {
  hostname: string
  domainname?: string
  /** One more name of its own. */
  name?: string | undefined
  /** The container's own address; without one the name stands beside no address. */
  address?: string
  /** That of IPv6, where it has one. */
  address6?: string
  /** `name:address`, where the address may be `host-gateway`. */
  extraHosts: readonly string[]
  /** What `host-gateway` means: the network's gateway; rootless `rootlessHostGateway()`. */
  hostGateway?: string
  /** The host's own file, for `--network host`. */
  hostText?: string
}

const LOCAL_HOSTS = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`

/** Docker's /etc/hosts: the local names, the extra ones, then the container's own. Throws InvalidArgument for a hostile name. */
export function hostsFile(input: HostsInput): string {
  const base = input.hostText === undefined ? LOCAL_HOSTS : input.hostText.replace(/(?<=.)\n*$/, "\n")
  const extra = input.extraHosts.map((text) => extraHostLine(text, input.hostGateway))
  const host = input.domainname ? `${input.hostname}.${input.domainname} ${input.hostname}` : input.hostname
  const names = input.name === undefined ? host : `${host} ${input.name}`
  const addresses = [input.address, input.address6].filter((address) => address !== undefined)
  const own = addresses.map((address) => `${address}\t${plainName(names)}\n`)
  return [base, ...extra, ...own].join("")
}

function extraHostLine(text: string, hostGateway: string | undefined): string {
  const colon = text.indexOf(":")
  const [name, word] = [text.slice(0, colon), text.slice(colon + 1)]
  const address = word === "host-gateway" ? hostGateway : word
  if (address === undefined)
    throw new InvalidArgument(`host-gateway of the extra host "${text}" has no meaning without a network`, {
      field: "extraHosts",
      hint: "give an address in its place",
    })
  if (colon < 1 || !isIpAddress(address))
    throw new InvalidArgument(`bad format for add-host: "${text}"`, { hint: "expected NAME:ADDRESS" })
  // podman: one address has several names
  return `${address}\t${name.split(";").map(plainName).join(" ")}\n`
}

/** A name that cannot become a second line or a second entry. */
function plainName(name: string): string {
  if (!/^[^\s#\0]+( [^\s#\0]+){0,2}$/.test(name)) throw new InvalidArgument(`invalid host name ${JSON.stringify(name)}`)
  return name
}

/** The text of /etc/hostname. */
export function hostnameFile(hostname: string): string {
  return `${plainName(hostname)}\n`
}

/** What /etc/resolv.conf is made from. */
export interface ResolvInput {
  /** "bridge" has its own loopback; "host" shares the host's. */
  kind: "bridge" | "host"
  /** The host's file; when that names its loopback only, what stands behind systemd-resolved. */
  hostText: string
  /** `--dns`, `--dns-search` (`.`: none), `--dns-option`; each replaces the host's of its kind. */
  dns: readonly string[]
  search: readonly string[]
  options: readonly string[]
  /** Whether a bridge leads to servers of IPv6. */
  hasIpv6?: boolean
  /** Rootless: `DNS_FORWARDER`. */
  forwarder?: string
  /** Those of its networks: all that is named otherwise is asked by them. */
  resolvers?: readonly string[]
  /** Where those networks have names looked for first: before the host's domains, and not where some are asked for. */
  searchDomains?: readonly string[]
}

/** As docker: asked when nothing else is known. */
const PUBLIC_SERVERS = ["8.8.8.8", "8.8.4.4"]

/**
 * The container's resolv.conf. Rootless, the host's first name server is asked through pasta. As root, name servers on the
 * host's loopback cannot be reached from a bridge: they are left out, and if none is left the public ones of docker stand in.
 */
export function resolvConf(input: ResolvInput): string {
  const host = parseResolvConf(input.hostText)
  const asked = input.dns.map(checkedServer)
  const { resolvers = [], searchDomains = [] } = input
  const own = asked.length > 0 ? asked : serversOf(host.servers, input)
  const servers = resolvers.length > 0 ? resolvers.slice(0, MOST_SERVERS) : own
  const search = (input.search.length > 0 ? input.search : [...new Set([...searchDomains, ...host.search])]).filter(
    (word) => word !== ".",
  )
  // how many dots the host's own programs want is no matter of a network where names have none
  const fromHost = resolvers.length > 0 ? host.options.filter((word) => !isDots(word)) : host.options
  const given = input.options.length > 0 ? input.options : fromHost
  // a neighbour's name without a dot is asked as it is, before a search domain is put to it and told to the world (docker does so)
  const options = resolvers.length > 0 && !given.some(isDots) ? [...given, "ndots:0"] : given
  for (const word of [...search, ...options])
    if (!/^[^\s\0]+$/.test(word)) throw new InvalidArgument(`invalid DNS search or option ${JSON.stringify(word)}`)
  const searchLines = search.length === 0 ? [] : [`search ${search.join(" ")}\n`]
  const serverLines = servers.map((server) => `nameserver ${server}\n`)
  return [
    // podman, whose networks have domains, writes the search first, and docker last; resolv.conf(5) does not mind
    ...(searchDomains.length > 0 ? [...searchLines, ...serverLines] : [...serverLines, ...searchLines]),
    ...(options.length === 0 ? [] : [`options ${options.join(" ")}\n`]),
  ].join("")
}

/** resolv.conf(5), MAXNS: what comes after is not read. */
const MOST_SERVERS = 3

const isDots = (option: string): boolean => option.startsWith("ndots:")

function checkedServer(text: string): string {
  if (!isIpAddress(text)) throw new InvalidArgument(`invalid DNS server "${text}"`, { hint: "expected an IP address" })
  return text
}

function serversOf(servers: readonly string[], { kind, forwarder, hasIpv6 = false }: ResolvInput): readonly string[] {
  if (kind === "host") return servers
  const reachable = servers.filter((server) =>
    isIpv4(server) ? !server.startsWith("127.") : hasIpv6 && !isLocalIpv6(server),
  )
  // passt(1), --dns-forward: pasta gives all answers of the host's first server the forwarder's address, so who asked that
  // server by its own would not know them
  if (forwarder !== undefined) return [forwarder, ...reachable.slice(1)]
  return reachable.length > 0 ? reachable : PUBLIC_SERVERS
}

/** ::1, and addresses of a link, which mean another link in the container. */
function isLocalIpv6(server: string): boolean {
  const address = parseIpv6(server)
  return address === 1n || address >> 118n === 0x3fan
}

interface ResolvConf {
  servers: string[]
  search: string[]
  options: string[]
}

/** resolv.conf(5); of several search lines the last counts. */
function parseResolvConf(text: string): ResolvConf {
  const found: ResolvConf = { servers: [], search: [], options: [] }
  for (const line of text.split("\n")) {
    const [keyword, ...words] = line
      .replace(/[#;].*$/, "")
      .trim()
      .split(/\s+/)
    const [first] = words
    // a zone (fe80::1%eth0) means nothing in another namespace
    if (keyword === "nameserver" && first !== undefined && isIpAddress(first)) found.servers.push(first)
    if (keyword === "search" || keyword === "domain") found.search = words
    if (keyword === "options") found.options.push(...words)
  }
  return found
}

/** The name servers of a resolv.conf, in order. */
export function nameServersOf(text: string): string[] {
  return parseResolvConf(text).servers
}

/** Whether all name servers stand on the loopback: then systemd-resolved's own list is the better source. */
export function hasOnlyLoopbackServers(text: string): boolean {
  const { servers } = parseResolvConf(text)
  return servers.length > 0 && servers.every((server) => server.startsWith("127.") || server === "::1")
}
