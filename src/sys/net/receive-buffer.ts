import { readdirSync, readlinkSync } from "node:fs"
import { libc } from "../libc.ts"
import { ptr } from "bun:ffi"
import { socketsOfPort } from "./socket-diag.ts"

const SOL_SOCKET = 1
const SO_RCVBUFFORCE = 33

/**
 * Lets the datagrams of a port of this process wait in a buffer of so many bytes, beyond what net.core.rmem_max allows: what comes while
 * it is full is lost. Bun names no descriptor, so it is looked for by the socket's inode. Does nothing where it may not (socket(7)).
 */
export function growReceiveBuffer(port: number, bytes: number): void {
  const wanted = new Set(socketsOfPort("udp", port).map(({ inode }) => `socket:[${inode}]`))
  const size = new Int32Array([bytes])
  for (const name of readdirSync("/proc/self/fd"))
    if (wanted.has(linkOf(name))) libc.setsockopt(Number(name), SOL_SOCKET, SO_RCVBUFFORCE, ptr(size), size.byteLength)
}

function linkOf(name: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${name}`)
  } catch {
    return "" // that of the directory itself
  }
}
