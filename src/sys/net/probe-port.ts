/** Whether somebody answers on a port: asked by the calling thread, which waits. */
import { ptr } from "bun:ffi"
import { check, close, lastErrno, libc, O_CLOEXEC } from "../libc.ts"

const AF_INET = 2
const AF_INET6 = 10
const SOCK_STREAM = 1
const SOL_SOCKET = 1
const SO_RCVTIMEO = 20
const SO_SNDTIMEO = 21
const MSG_PEEK = 2
const EAGAIN = 11
const ECONNRESET = 104
const ECONNREFUSED = 111
/** connect(2): the time-out has come. */
const EINPROGRESS = 115
const ETIMEDOUT = 110

/** `silent`: no answer at all, as from behind a firewall that drops. */
export type ProbeResult = "open" | "refused" | "hung up" | "silent" | "unreachable"

/**
 * Connects to a TCP port in the thread's network namespace, and waits a moment for whom it is connected to: a program between may take the
 * call before it knows that nobody is at home.
 */
export function probePort(address: Uint8Array, port: number, waitMs: { connect: number; answer: number }): ProbeResult {
  const isIpv6 = address.length === 16
  const socket = check(libc.socket(isIpv6 ? AF_INET6 : AF_INET, SOCK_STREAM | O_CLOEXEC, 0), "socket", "tcp")
  try {
    setTimeoutOption(socket, SO_SNDTIMEO, waitMs.connect)
    setTimeoutOption(socket, SO_RCVTIMEO, waitMs.answer)
    const name = socketName(address, port)
    if (libc.connect(socket, ptr(name), name.length) < 0) return failureOf(lastErrno())
    const byte = new Uint8Array(1)
    const length = Number(libc.recv(socket, ptr(byte), 1, MSG_PEEK))
    if (length > 0) return "open"
    if (length === 0) return "hung up"
    return lastErrno() === EAGAIN ? "open" : "hung up"
  } finally {
    close(socket)
  }
}

function failureOf(errno: number): ProbeResult {
  if (errno === ECONNREFUSED || errno === ECONNRESET) return "refused"
  return errno === EINPROGRESS || errno === EAGAIN || errno === ETIMEDOUT ? "silent" : "unreachable"
}

/** struct sockaddr_in, sockaddr_in6; the family is in the host's byte order. */
function socketName(address: Uint8Array, port: number): Uint8Array {
  const isIpv6 = address.length === 16
  const name = new Uint8Array(isIpv6 ? 28 : 16)
  name.set([isIpv6 ? AF_INET6 : AF_INET, 0, port >> 8, port & 255])
  name.set(address, isIpv6 ? 8 : 4)
  return name
}

function setTimeoutOption(socket: number, option: number, ms: number): void {
  const time = new BigInt64Array([BigInt(Math.floor(ms / 1000)), BigInt((ms % 1000) * 1000)])
  check(libc.setsockopt(socket, SOL_SOCKET, option, ptr(time), 16), "setsockopt")
}
