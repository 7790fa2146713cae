/** Ports of the host: whether one may be bound, asked of the kernel by binding it for a moment. */
import { ptr } from "bun:ffi"
import { close, lastErrno, libc, O_CLOEXEC, SystemError } from "../libc.ts"

const AF_INET = 2
const SOCK_STREAM = 1
const SOCK_DGRAM = 2
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const EACCES = 13
const EADDRINUSE = 98
const EADDRNOTAVAIL = 99

/** Whether a port of the host can be bound. */
export type PortState = "free" | "in use" | "not permitted" | "no such address"

/**
 * Asks in the calling thread's network namespace. `address` is the four bytes. TCP binds as servers do (SO_REUSEADDR):
 * a listener is in the way, a connection that was closed a moment ago is not.
 */
export function probePort(protocol: "tcp" | "udp", address: Uint8Array, port: number): PortState {
  const type = protocol === "tcp" ? SOCK_STREAM : SOCK_DGRAM
  const fd = libc.socket(AF_INET, type | O_CLOEXEC, 0)
  if (fd < 0) throw new SystemError("socket", lastErrno(), protocol)
  try {
    const on = new Int32Array([1])
    if (protocol === "tcp") libc.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, ptr(on), 4)
    // struct sockaddr_in; sin_family is in the host's byte order
    const name = new Uint8Array(16)
    name.set([AF_INET, 0, port >> 8, port & 255, ...address])
    const result = libc.bind(fd, ptr(name), name.length)
    if (result === 0) return "free"
    const errno = lastErrno()
    if (errno === EADDRINUSE) return "in use"
    if (errno === EACCES) return "not permitted"
    if (errno === EADDRNOTAVAIL) return "no such address"
    throw new SystemError("bind", errno, `${protocol} port ${port}`)
  } finally {
    close(fd)
  }
}
