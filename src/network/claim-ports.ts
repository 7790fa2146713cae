import { readFileSync } from "node:fs"
import { basename } from "node:path"
import {
  AlreadyExists,
  FailedPrecondition,
  hasErrno,
  InvalidArgument,
  isSkiffError,
  Unavailable,
} from "../base/errors.ts"
import type { PortMapping, Protocol } from "../spec/docker/port-mapping.ts"
import { close } from "../sys/libc.ts"
import { bindPort, boundTo, type BoundPort, type PortProtocol } from "../sys/net/host-port.ts"
import { socketsOfPort, type HostSocket } from "../sys/net/socket-diag.ts"
import { takeDescriptor } from "../sys/process/take-descriptor.ts"
import { bindAddresses, checkPlace, placeOf, wordsOf } from "./host-place.ts"
import type { PublishedPort } from "./nftables.ts"
import { HOLDER_COMM } from "./port-holders.ts"
import type { EndpointRow } from "./records.ts"

/** What is known of published ports. */
export interface PortRecords {
  /** The living container that has the port or one overlapping it. */
  holder(port: HostPort): EndpointRow | undefined
  /** What the maps call this port. */
  innerPort(port: HostPort): number
  add(port: PublishedPort): void
  /** Whether a socket of this port is what a container of ours that is gone left for the moment of its end. */
  isLeftBehind(interfaceIndex: number): boolean
  /** The container of ours or of another store whose interface that is. */
  containerOf(interfaceIndex: number): { container: string; runRoot: string } | undefined
  /** Whether a container is reached by ::1. */
  hasLoopback6(): boolean
}

/** A port of the host. */
export type HostPort = Pick<PublishedPort, "protocol" | "hostAddress" | "hostPort">

export interface ClaimedPort {
  port: PublishedPort
  /** The sockets that have it, one of each family; none for SCTP. */
  bound: readonly BoundPort[]
}

/** Where a port is to be bound. */
interface Place extends Omit<HostPort, "hostPort"> {
  /** Whether its endpoint has it. */
  hasIpv6: boolean
}

const RANDOM_TRIES = 1000
/** proc_pid_comm(5): longer names are cut. */
const MAX_COMM_LENGTH = 15
/** Programs that have the sockets of ports: the monitor, what holds those of later, and the exit command, which is our executable. */
const HOLDERS = new Set(["conmon", HOLDER_COMM, basename(process.execPath).slice(0, MAX_COMM_LENGTH)])

/**
 * Takes each port for the endpoint and binds it on the host, or throws AlreadyExists naming who has it: a container of this
 * store by the records, one of another store by its interface, or a program of the host. Runs inside a transaction, so of two
 * containers one wins. The sockets are the caller's.
 */
export function claimPorts(wanted: readonly PortMapping[], endpoint: EndpointRow, records: PortRecords): ClaimedPort[] {
  const claimed: ClaimedPort[] = []
  try {
    for (const { protocol, containerPort, hostPort: number, lastHostPort, hostAddress } of wanted) {
      const hasIpv6 = endpoint.address6 !== ""
      const place: Place = { protocol, hostAddress: placeOf(hostAddress), hasIpv6 }
      checkPlace({ ...place, hostPort: number }, { hasIpv6, hasLoopback6: records.hasLoopback6() })
      const { hostPort, bound } =
        number === 0 ? freePort(place, records) : takeFirst(place, number, lastHostPort ?? number, records)
      const host: HostPort = { protocol, hostAddress: place.hostAddress, hostPort }
      const { address, address6 } = endpoint
      const port = { ...host, containerPort, address, address6, innerPort: records.innerPort(host) }
      claimed.push({ port, bound })
      records.add(port)
    }
    return claimed
  } catch (error) {
    letGo(claimed)
    throw error
  }
}

/** Closes our sockets: who inherited them holds the ports on. */
export function letGo(claimed: readonly ClaimedPort[]): void {
  for (const { bound } of claimed) for (const { socket } of bound) close(socket)
}

/** Descriptors of our own for the sockets of this port that are bound to that interface. The caller closes them. */
export function takeSocketsOf(protocol: PortProtocol, hostPort: number, interfaceIndex: number): number[] {
  return whoHas(protocol, hostPort)
    .filter((socket) => socket.interfaceIndex === interfaceIndex)
    .flatMap(({ inode }) => takeDescriptor(`socket:[${inode}]`, HOLDERS) ?? [])
}

/** The first port of the range that nobody has. Throws as `takePort` does for the last. */
function takeFirst(
  place: Place,
  first: number,
  last: number,
  records: PortRecords,
): { hostPort: number; bound: readonly BoundPort[] } {
  for (let hostPort = first; hostPort < last; hostPort++)
    try {
      return { hostPort, bound: takePort({ ...place, hostPort }, records) }
    } catch (error) {
      if (!isSkiffError(error, "AlreadyExists")) throw error
    }
  return { hostPort: last, bound: takePort({ ...place, hostPort: last }, records) }
}

/** Binds the port, of each family. None: it is one that is not held by a socket. */
function takePort(port: Place & HostPort, records: PortRecords): readonly BoundPort[] {
  const where = wordsOf(port)
  const holder = records.holder(port)
  if (holder !== undefined)
    throw new AlreadyExists(`cannot publish ${where}: port is already allocated`, {
      field: "ports",
      hint: "publish another port",
      // by name it is known to the domain of containers alone
      data: { takenBy: holder.containerId },
    })
  const { protocol, hasIpv6 } = port
  // nothing of the host listens on SCTP without its module, and asking would load it
  if (protocol === "sctp") return []
  const bound: BoundPort[] = []
  try {
    for (const address of bindAddresses(port.hostAddress, hasIpv6))
      bound.push(takeAddress({ ...port, protocol }, address, records))
    return bound
  } catch (error) {
    for (const { socket } of bound) close(socket)
    throw error
  }
}

function takeAddress(
  port: Place & HostPort & { protocol: PortProtocol },
  address: Uint8Array,
  records: PortRecords,
): BoundPort {
  const where = wordsOf(port)
  const { protocol } = port
  const result = bindPort(protocol, address, port.hostPort)
  if (typeof result === "object") return result
  if (result === "in use") {
    const bound = takeOver(protocol, address, port.hostPort, where, records)
    if (bound === undefined) throw takenByProgram(port)
    return bound
  }
  if (result === "no such address")
    throw new InvalidArgument(`cannot publish ${where}: this host has no address ${port.hostAddress}`, {
      field: "ports",
      hint: "see ip address; leave the address out to publish on all",
    })
  throw new FailedPrecondition(
    `cannot publish ${where}: an ordinary user may not bind ports below ${firstFreePort()}`,
    {
      field: "ports",
      hint: [
        `publish port ${nextFreePort(port, records)}, which is free`,
        `sudo sysctl -w net.ipv4.ip_unprivileged_port_start=${port.hostPort}`,
      ],
    },
  )
}

/**
 * A monitor, or its last command, may still hold the port of a container that is gone: then its socket becomes ours. All others
 * keep what they have: undefined.
 */
function takeOver(
  protocol: PortProtocol,
  address: Uint8Array,
  hostPort: number,
  where: string,
  records: PortRecords,
): BoundPort | undefined {
  const family = address.length === 4 ? "IPv4" : "IPv6"
  const sockets = whoHas(protocol, hostPort).filter((socket) => socket.family === family)
  const [left] = sockets
  if (left !== undefined && sockets.every(({ interfaceIndex }) => records.isLeftBehind(interfaceIndex))) {
    const socket = takeDescriptor(`socket:[${left.inode}]`, HOLDERS)
    if (socket !== undefined) {
      if (sockets.length === 1 && Buffer.compare(boundTo(socket).address, address) === 0)
        return { socket, port: hostPort }
      close(socket)
    }
    // another address of this port: it goes with its process, in a moment
    throw new AlreadyExists(`cannot publish ${where}: a container that has just ended still has the port`, {
      field: "ports",
      hint: "try again in a moment",
      data: { isLeaving: true },
    })
  }
  const [holder] = sockets.flatMap(({ interfaceIndex }) => records.containerOf(interfaceIndex) ?? [])
  if (holder !== undefined)
    throw new AlreadyExists(
      `cannot publish ${where}: address already in use by container ${holder.container} of the store in ${holder.runRoot}`,
      { field: "ports", hint: "publish another port", data: { isLeaving: true } },
    )
  return undefined
}

/** A kernel may lack what tells it (sock_diag(7)): then it is somebody. */
function whoHas(protocol: PortProtocol, hostPort: number): HostSocket[] {
  try {
    return socketsOfPort(protocol, hostPort)
  } catch (error) {
    if (hasErrno(error, "ENOENT", "EPERM", "EPROTONOSUPPORT")) return []
    throw error
  }
}

/** The error for a port that something has which is no container. */
export function takenByProgram(port: HostPort): AlreadyExists {
  return new AlreadyExists(`cannot publish ${wordsOf(port)}: address already in use by a program of the host`, {
    field: "ports",
    hint: `see which: ss -lnp sport = :${port.hostPort}`,
  })
}

/** 8080 for 80, 8443 for 443, as people choose; the next that is free. */
function nextFreePort({ protocol, hostAddress, hostPort }: HostPort, records: PortRecords): number {
  const [address = new Uint8Array(4)] = bindAddresses(hostAddress, false)
  for (let next = PREFERRED + hostPort; next < EPHEMERAL.first; next++) {
    if (records.holder({ protocol, hostAddress, hostPort: next }) !== undefined) continue
    const bound = bindPort(protocol as PortProtocol, address, next)
    if (typeof bound === "string") continue
    close(bound.socket)
    return next
  }
  return EPHEMERAL.first
}

const PREFERRED = 8000

function firstFreePort(): string {
  return readFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start", "utf8").trim()
}

/** Any port of the host's ephemeral range that nobody has. */
function freePort(place: Place, records: PortRecords): { hostPort: number; bound: readonly BoundPort[] } {
  const { protocol, hostAddress, hasIpv6 } = place
  const [first = new Uint8Array(4), ...others] = bindAddresses(hostAddress, hasIpv6)
  for (let tries = 0; tries < RANDOM_TRIES; tries++) {
    const chosen = protocol === "sctp" ? undefined : bindPort(protocol, first, 0)
    if (typeof chosen === "string") break
    const hostPort = chosen?.port ?? EPHEMERAL.first + Math.floor(Math.random() * EPHEMERAL.count)
    const bound = chosen === undefined ? [] : [chosen, ...bindOthers(protocol, others, hostPort)]
    const isWhole = chosen === undefined || bound.length === 1 + others.length
    if (isWhole && records.holder({ protocol, hostAddress, hostPort }) === undefined) return { hostPort, bound }
    for (const { socket } of bound) close(socket)
  }
  throw new Unavailable(`no free ${protocol} port was found on this host`, {
    field: "ports",
    hint: "publish a port of your choice",
  })
}

/** The same port of the other family, where nobody has it. */
function bindOthers(protocol: Protocol, addresses: readonly Uint8Array[], port: number): BoundPort[] {
  return addresses.flatMap((address) => {
    const bound = protocol === "sctp" ? "in use" : bindPort(protocol, address, port)
    return typeof bound === "string" ? [] : [bound]
  })
}

/** ip-sysctl.rst, ip_local_port_range: its usual value. */
const EPHEMERAL = { first: 32768, count: 28232 }
