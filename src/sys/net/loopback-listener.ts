/**
 * A port of the loopback of any network namespace, for datagrams and connections, heard by a process that stays in its own.
 *
 * Sockets belong to the namespace of the thread that opens them, and Bun takes none that another thread has opened. So a thread goes there, for good,
 * and hands on what comes. Its text imports nothing but the C library (netns.ts says why it is a text).
 */

/** Hears what comes. `connection` is the number of one, until it is closed. */
export interface LoopbackHandlers {
  datagram(bytes: Uint8Array, address: string, port: number): void
  connected(connection: number, address: string): void
  received(connection: number, bytes: Uint8Array): void
  closed(connection: number): void
  /** The thread has ended: nothing is heard any more. */
  failed(reason: string): void
}

/** The open port. Disposing ends the thread, and with it all connections. */
export interface LoopbackListener extends Disposable {
  readonly port: number
  /** Answers a datagram. One that cannot be sent is lost, as on any network. */
  send(bytes: Uint8Array, address: string, port: number): void
  write(connection: number, bytes: Uint8Array): void
  close(connection: number): void
}

/** A connection that sends no more than this many bytes without reading what it is sent is closed. */
const MOST_UNSENT_BYTES = 1 << 20

const THREAD_SOURCE = `
import { dlopen } from "bun:ffi"
const connections = new Map()
let udp, last = 0
const address = "127.0.0.1"
const forget = (id) => { if (connections.delete(id)) postMessage({ kind: "closed", id }) }
const flush = (socket) => {
  const { unsent } = socket.data
  while (unsent.length > 0) {
    const sent = socket.write(unsent[0])
    if (sent < unsent[0].length) { if (sent > 0) unsent[0] = unsent[0].subarray(sent); return }
    unsent.shift()
  }
}
const open = async (port) => {
  udp = await Bun.udpSocket({ hostname: address, port, socket: {
    data(_, bytes, port, from) { postMessage({ kind: "datagram", bytes, from, port }) },
    error() {},
  } })
  try {
    Bun.listen({ hostname: address, port: udp.port, exclusive: true, socket: {
      open(socket) {
        const id = ++last
        socket.data = { id, unsent: [] }
        connections.set(id, socket)
        postMessage({ kind: "connected", id, from: socket.remoteAddress })
      },
      data(socket, bytes) { postMessage({ kind: "received", id: socket.data.id, bytes }) },
      drain: flush,
      close(socket) { forget(socket.data.id) },
      error(socket) { socket.terminate() },
    } })
  } catch (error) {
    udp.close()
    throw error
  }
  return udp.port
}
const begin = async ({ netns, ports }) => {
  if (netns >= 0) {
    const { symbols } = dlopen("libc.so.6", { setns: { args: ["i32", "i32"], returns: "i32" } })
    if (symbols.setns(netns, ${0x40000000}) < 0) throw new Error("cannot enter the network namespace")
  }
  let refusal
  for (const port of ports)
    try { return await open(port) } catch (error) { refusal = error }
  throw refusal
}
const acts = {
  begin: (data) => begin(data).then((port) => postMessage({ kind: "open", port }), (error) => postMessage({ kind: "failed", reason: String(error) })),
  datagram: ({ bytes, to, port }) => { try { udp.send(bytes, port, to) } catch {} },
  write: ({ id, bytes }) => {
    const socket = connections.get(id)
    if (!socket) return
    socket.data.unsent.push(bytes)
    flush(socket)
    if (socket.data.unsent.reduce((sum, { length }) => sum + length, 0) > ${MOST_UNSENT_BYTES}) socket.terminate()
  },
  close: ({ id }) => connections.get(id)?.end(),
}
self.onmessage = ({ data }) => acts[data.kind](data)
`

type Told =
  | { kind: "open"; port: number }
  | { kind: "failed"; reason: string }
  | { kind: "datagram"; bytes: Uint8Array; from: string; port: number }
  | { kind: "connected"; id: number; from: string }
  | { kind: "received"; id: number; bytes: Uint8Array }
  | { kind: "closed"; id: number }

/**
 * Opens the first of `ports` that is free for both; 0 is any. `netns`: an open namespace, undefined for our own. Throws when none is free,
 * or the namespace may not be entered.
 */
export async function listenOnLoopback(
  { netns, ports }: { netns: number | undefined; ports: readonly number[] },
  handlers: LoopbackHandlers,
): Promise<LoopbackListener> {
  const url = URL.createObjectURL(new Blob([THREAD_SOURCE]))
  const worker = new Worker(url, { smol: true })
  const opened = Promise.withResolvers<number>()
  const tell = {
    open: ({ port }: Told & { kind: "open" }) => opened.resolve(port),
    failed: ({ reason }: Told & { kind: "failed" }) => opened.reject(new Error(reason)),
    datagram: ({ bytes, from, port }: Told & { kind: "datagram" }) => handlers.datagram(bytes, from, port),
    connected: ({ id, from }: Told & { kind: "connected" }) => handlers.connected(id, from),
    received: ({ id, bytes }: Told & { kind: "received" }) => handlers.received(id, bytes),
    closed: ({ id }: Told & { kind: "closed" }) => handlers.closed(id),
  }
  worker.addEventListener("message", ({ data }: MessageEvent<Told>) => (tell[data.kind] as (told: Told) => void)(data))
  worker.addEventListener("error", ({ message }) => {
    opened.reject(new Error(message))
    handlers.failed(message)
  })
  const post = (data: object): void => worker.postMessage(data, [])
  try {
    post({ kind: "begin", netns: netns ?? -1, ports })
    const port = await opened.promise
    return {
      port,
      send: (bytes, to, toPort) => post({ kind: "datagram", bytes, to, port: toPort }),
      write: (id, bytes) => post({ kind: "write", id, bytes }),
      close: (id) => post({ kind: "close", id }),
      [Symbol.dispose]: () => worker.terminate(),
    }
  } catch (error) {
    worker.terminate()
    throw error
  } finally {
    URL.revokeObjectURL(url)
  }
}
