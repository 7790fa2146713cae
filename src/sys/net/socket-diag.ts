/** Sockets of the host (sock_diag(7); include/uapi/linux/inet_diag.h). */
import { NETLINK_SOCK_DIAG, NetlinkSocket, NLM_F_DUMP, openNetlink } from "./netlink.ts"
import type { PortProtocol } from "./host-port.ts"

const SOCK_DIAG_BY_FAMILY = 20
const AF_INET = 2
const AF_INET6 = 10
const IPPROTO_TCP = 6
const IPPROTO_UDP = 17
const TCP_LISTEN = 10
const ALL_STATES = 0xffffffff
/** struct inet_diag_sockid in struct inet_diag_msg, and what stands in it. */
const SOCKET_ID = 4
const ID_INTERFACE = 36
const INODE = 68

/** A socket of the host. */
export interface HostSocket {
  /** Index of the interface that it is bound to; 0: to none. */
  interfaceIndex: number
  /** As `/proc/PID/fd` names it: `socket:[INODE]`. */
  inode: number
  family: "IPv4" | "IPv6"
}

/** The sockets that have this port of any address, of TCP those that listen. In the calling thread's network namespace. */
export function socketsOfPort(protocol: PortProtocol, port: number): HostSocket[] {
  using socket = new NetlinkSocket(openNetlink(NETLINK_SOCK_DIAG))
  return [AF_INET, AF_INET6].flatMap((family) =>
    socket
      .request([
        {
          type: SOCK_DIAG_BY_FAMILY,
          flags: NLM_F_DUMP,
          body: requestOf(family, protocol, port),
          about: `list ${protocol} sockets`,
        },
      ])
      .map(({ body }) => new DataView(body.buffer, body.byteOffset))
      .filter((view) => view.getUint16(SOCKET_ID, false) === port)
      .map((view) => ({
        interfaceIndex: view.getUint32(SOCKET_ID + ID_INTERFACE, true),
        inode: view.getUint32(INODE, true),
        family: family === AF_INET6 ? "IPv6" : "IPv4",
      })),
  )
}

/** struct inet_diag_req_v2. */
function requestOf(family: number, protocol: PortProtocol, port: number): Uint8Array {
  const bytes = new Uint8Array(56)
  const view = new DataView(bytes.buffer)
  bytes.set([family, protocol === "tcp" ? IPPROTO_TCP : IPPROTO_UDP])
  view.setUint32(4, protocol === "tcp" ? 1 << TCP_LISTEN : ALL_STATES, true)
  view.setUint16(8, port, false)
  return bytes
}
