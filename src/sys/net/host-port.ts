/** Ports of the host, held by sockets that are there for nothing else. */
import { ptr } from "bun:ffi"
import { check, close, lastErrno, libc, O_CLOEXEC, SystemError } from "../libc.ts"

const AF_INET = 2
const AF_INET6 = 10
const IPPROTO_IPV6 = 41
const IPV6_V6ONLY = 26
const SOCK_STREAM = 1
const SOCK_DGRAM = 2
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const SO_BINDTOIFINDEX = 62
const SHUT_RDWR = 2
const EACCES = 13
const EINVAL = 22
const EADDRINUSE = 98
const EADDRNOTAVAIL = 99

export type PortProtocol = "tcp" | "udp"

/** Why a port of the host could not be bound. */
export type PortFailure = "in use" | "not permitted" | "no such address"

/** A port that is ours as long as its socket is open, here or in who inherited it. */
export interface BoundPort {
  /** Close-on-exec. */
  socket: number
  /** The one asked for, or for 0 the one that the kernel chose. */
  port: number
}

/**
 * Binds a port in the calling thread's network namespace. `address` is the four bytes, or the sixteen: a port of one family alone. Nobody
 * else may bind it then, and what arrives is answered as by a closed port.
 */
export function bindPort(protocol: PortProtocol, address: Uint8Array, port: number): BoundPort | PortFailure {
  const type = protocol === "tcp" ? SOCK_STREAM : SOCK_DGRAM
  const isIpv6 = address.length === 16
  const socket = check(libc.socket(isIpv6 ? AF_INET6 : AF_INET, type | O_CLOEXEC, 0), "socket", protocol)
  if (isIpv6) setOption(socket, IPV6_V6ONLY, 1, IPPROTO_IPV6)
  // a connection that was closed a moment ago is not in the way
  if (protocol === "tcp") setOption(socket, SO_REUSEADDR, 1)
  // struct sockaddr_in and sockaddr_in6; the family is in the host's byte order
  const name = new Uint8Array(isIpv6 ? SOCKADDR_IN6 : 16)
  name.set([isIpv6 ? AF_INET6 : AF_INET, 0, port >> 8, port & 255])
  name.set(address, isIpv6 ? 8 : 4)
  const errno = libc.bind(socket, ptr(name), name.length) === 0 ? 0 : lastErrno()
  if (errno === 0) {
    if (protocol === "tcp") setOption(socket, SO_REUSEADDR, 0)
    return { socket, port: port === 0 ? boundTo(socket).port : port }
  }
  close(socket)
  if (errno === EADDRINUSE) return "in use"
  if (errno === EACCES) return "not permitted"
  // EINVAL: one of a link (fe80::/10), without its link
  if (errno === EADDRNOTAVAIL || errno === EINVAL) return "no such address"
  throw new SystemError("bind", errno, `${protocol} port ${port}`)
}

/**
 * Shows the port to the host's tools as one that is listened on (`ss -l`), by an interface on which nothing ever arrives for
 * the host: a connection that no rule leads away is refused at once, and not left hanging with a socket that nobody reads.
 */
export function holdPort({ socket }: BoundPort, protocol: PortProtocol, interfaceIndex: number): void {
  setOption(socket, SO_BINDTOIFINDEX, interfaceIndex)
  if (protocol !== "tcp") return
  // listen(2) looks for who has the port once more: one that `releasePort` has freed is not in the way
  setOption(socket, SO_REUSEADDR, 1)
  try {
    check(libc.listen(socket, 1), "listen")
  } finally {
    setOption(socket, SO_REUSEADDR, 0)
  }
}

/**
 * Makes a port free for others though its socket stays open elsewhere, and closes ours: it listens no more, and who binds the same port
 * with SO_REUSEADDR, as servers do, may (socket(7)).
 */
export function releasePort(socket: number, protocol: PortProtocol): void {
  setOption(socket, SO_REUSEADDR, 1)
  if (protocol === "tcp") libc.shutdown(socket, SHUT_RDWR)
  close(socket)
}

const SOCKADDR_IN6 = 28

/** Address, in its four or sixteen bytes, and port of a socket. */
export function boundTo(socket: number): { address: Uint8Array; port: number } {
  const name = new Uint8Array(SOCKADDR_IN6)
  const length = new Uint32Array([name.length])
  check(libc.getsockname(socket, ptr(name), ptr(length)), "getsockname")
  const address = name[0] === AF_INET6 ? name.slice(8, 24) : name.slice(4, 8)
  return { address, port: ((name[2] ?? 0) << 8) | (name[3] ?? 0) }
}

function setOption(socket: number, option: number, value: number, level = SOL_SOCKET): void {
  const number = new Int32Array([value])
  check(libc.setsockopt(socket, level, option, ptr(number), 4), "setsockopt")
}
