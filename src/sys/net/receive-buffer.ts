import { readdirSync, readlinkSync } from "node:fs"
import { libc } from "../libc.ts"
import { ptr } from "bun:ffi"
import { socketsOfPort } from "./socket-diag.ts"

const SOL_SOCKET = 1
const SO_RCVBUF = 8
const SO_RCVBUFFORCE = 33

/**
 * Lets the datagrams of a port of this process wait in a buffer of so many bytes: what comes while it is full is lost. Beyond
 * net.core.rmem_max only root of the host may go; others have that much (socket(7)). Bun names no descriptor, so it is looked for by the
 * socket's inode.
 */
export function growReceiveBuffer(port: number, bytes: number): void {
  const wanted = new Set(socketsOfPort("udp", port).map(({ inode }) => `socket:[${inode}]`))
  const size = new Int32Array([bytes])
  for (const name of readdirSync("/proc/self/fd"))
    if (wanted.has(linkOf(name))) {
      const set = (option: number): number =>
        libc.setsockopt(Number(name), SOL_SOCKET, option, ptr(size), size.byteLength)
      if (set(SO_RCVBUFFORCE) !== 0) set(SO_RCVBUF)
    }
}

function linkOf(name: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${name}`)
  } catch {
    return "" // that of the directory itself
  }
}
