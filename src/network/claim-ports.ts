import { readFileSync } from "node:fs"
import { AlreadyExists, FailedPrecondition, InvalidArgument, Unavailable, Unsupported } from "../base/errors.ts"
import { isIpv4 } from "../spec/docker/ip-address.ts"
import type { PortMapping } from "../spec/docker/port-mapping.ts"
import { probePort } from "../sys/net/host-port.ts"
import { ipv4Bytes } from "../sys/net/rtnetlink.ts"
import { formatIpv4, parseIpv4 } from "./ipv4.ts"
import type { PublishedPort } from "./nftables.ts"
import type { EndpointRow } from "./records.ts"

/** What is known of published ports. */
export interface PortRecords {
  /** The living container that has the port or one overlapping it. */
  holder(port: HostPort): EndpointRow | undefined
  /** What the maps call this port. */
  innerPort(port: HostPort): number
  add(port: PublishedPort): void
}

/** A port of the host. */
export type HostPort = Pick<PublishedPort, "protocol" | "hostAddress" | "hostPort">

const RANDOM_TRIES = 1000

/**
 * Takes each port for the endpoint, or throws AlreadyExists naming who has it: a container of this store by the records, or
 * a listener of the host by binding the port for a moment. Runs inside a transaction, so of two containers one wins.
 *
 * The port is not held by a socket. A program that listens on it later starts without an error, but the container keeps the
 * traffic (the rule stands before the socket); `skiff ps` and `nft list table inet skiff` show it.
 */
export function claimPorts(
  wanted: readonly PortMapping[],
  endpoint: EndpointRow,
  records: PortRecords,
): PublishedPort[] {
  return wanted.map((mapping) => {
    const host = { protocol: mapping.protocol, hostAddress: normalAddress(mapping.hostAddress) }
    const hostPort = mapping.hostPort === 0 ? freePort(host, records) : mapping.hostPort
    if (mapping.hostPort !== 0) checkPort({ ...host, hostPort }, records)
    const claimed: PublishedPort = {
      ...host,
      hostPort,
      containerPort: mapping.containerPort,
      address: endpoint.address,
      innerPort: records.innerPort({ ...host, hostPort }),
    }
    records.add(claimed)
    return claimed
  })
}

/** Empty for all addresses. */
function normalAddress(address: string | undefined): string {
  if (address === undefined || address === "" || address === "0.0.0.0") return ""
  if (isIpv4(address)) return formatIpv4(parseIpv4(address))
  throw new Unsupported(`publishing on the IPv6 address ${address} is not supported: the bridge network is IPv4 only`, {
    hint: ["publish on an IPv4 address", { do: "set", field: "network", value: "host" }],
  })
}

function checkPort(port: HostPort, records: PortRecords): void {
  const where = `${port.hostAddress || "0.0.0.0"}:${port.hostPort}/${port.protocol}`
  const holder = records.holder(port)
  if (holder !== undefined)
    throw new AlreadyExists(`cannot publish ${where}: port is already allocated`, {
      field: "ports",
      hint: "publish another port",
      // by name it is known to the domain of containers alone
      data: { takenBy: holder.containerId },
    })
  const state = probe(port)
  if (state === "free") return
  if (state === "in use")
    throw new AlreadyExists(`cannot publish ${where}: address already in use by a program of the host`, {
      hint: `see which: ss -lnp sport = :${port.hostPort}`,
    })
  if (state === "no such address")
    throw new InvalidArgument(`cannot publish ${where}: this host has no address ${port.hostAddress}`, {
      hint: "see ip address; leave the address out to publish on all",
    })
  throw new FailedPrecondition(
    `cannot publish ${where}: an ordinary user may not bind ports below ${firstFreePort()}`,
    {
      hint: `publish a higher port, or: sudo sysctl net.ipv4.ip_unprivileged_port_start=${port.hostPort}`,
    },
  )
}

function firstFreePort(): string {
  return readFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start", "utf8").trim()
}

/** Any port of the host's ephemeral range that nobody has. */
function freePort(port: Omit<HostPort, "hostPort">, records: PortRecords): number {
  const [first = 32768, last = 60999] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8")
    .split(/\s+/)
    .map(Number)
  for (let tries = 0; tries < RANDOM_TRIES; tries++) {
    const chosen = { ...port, hostPort: first + Math.floor(Math.random() * (last - first + 1)) }
    if (records.holder(chosen) === undefined && probe(chosen) === "free") return chosen.hostPort
  }
  throw new Unavailable(`no free port was found between ${first} and ${last}`, {
    hint: "publish a port of your choice",
  })
}

function probe({ protocol, hostAddress, hostPort }: HostPort): ReturnType<typeof probePort> {
  // nothing of the host listens on SCTP without its module, and asking would load it
  if (protocol === "sctp") return "free"
  return probePort(protocol, ipv4Bytes(parseIpv4(hostAddress || "0.0.0.0")), hostPort)
}
