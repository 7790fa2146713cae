import net from "node:net"
import type { Duplex } from "node:stream"
import type { VirtualEndpoint } from "../../network/network.ts"

const LARGEST_HEAD_BYTES = 32 * 1024
/** A WebSocket on which nothing comes or goes for so long is cut. */
const IDLE_MS = 3_600_000

/** The head that opens it. */
export interface TunnelHead {
  method: string
  path: string
  headers: Record<string, string | readonly string[]>
}

/**
 * Asks the backend for another protocol, and joins both connections if it agrees. If it does not, the caller gets its answer and the end
 * of the connection: what he sends then would go to the backend past all rules.
 */
export function tunnel(caller: Duplex, head: Buffer, { address, port }: VirtualEndpoint, request: TunnelHead): void {
  const backend = net.connect({ host: address, port })
  const end = (): void => {
    caller.destroy()
    backend.destroy()
  }
  caller.on("error", end).on("close", end)
  backend.on("error", end).on("close", end)
  backend.setTimeout(IDLE_MS, end)
  backend.write(headText(request))
  let seen = Buffer.alloc(0)
  const look = (bytes: Buffer): void => {
    seen = Buffer.concat([seen, bytes])
    const at = seen.indexOf("\r\n\r\n")
    if (at === -1 && seen.length <= LARGEST_HEAD_BYTES) return
    backend.off("data", look)
    if (at === -1) return end()
    caller.write(seen)
    if (!seen.toString("latin1", 0, 16).startsWith("HTTP/1.1 101 ")) {
      backend.pipe(caller)
      return
    }
    backend.write(head)
    backend.pipe(caller)
    caller.pipe(backend)
  }
  backend.on("data", look)
}

function headText({ method, path, headers }: TunnelHead): string {
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    (typeof value === "string" ? [value] : value).map((one) => `${name}: ${one}`),
  )
  return `${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`
}
