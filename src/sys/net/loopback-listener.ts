/** A port of the loopback of the calling thread's network namespace, for datagrams and connections. */
import type { Socket } from "bun"
import { growReceiveBuffer } from "./receive-buffer.ts"

/** Hears what comes. `connection` is the number of one, until it is closed. */
export interface LoopbackHandlers {
  datagram(bytes: Uint8Array, address: string, port: number): void
  connected(connection: number, address: string): void
  received(connection: number, bytes: Uint8Array): void
  closed(connection: number): void
}

/** The open port. Disposing closes it, and all connections. */
export interface LoopbackListener extends Disposable {
  readonly port: number
  /** Answers a datagram. One that cannot be sent is lost, as on any network. */
  send(bytes: Uint8Array, address: string, port: number): void
  write(connection: number, bytes: Uint8Array): void
  close(connection: number): void
}

const LOOPBACK = "127.0.0.1"
/** Who leaves more than this unread is closed. */
const MOST_UNSENT_BYTES = 1 << 20
/** Some thousand datagrams, where the usual buffer has room for 250: who loses one asks again after five seconds. */
const WAITING_BYTES = 4 << 20

/** Opens the first of `ports` that is free for both; 0 is any. Throws the last refusal when none is. */
export async function listenOnLoopback(
  ports: readonly number[],
  handlers: LoopbackHandlers,
): Promise<LoopbackListener> {
  let refusal: unknown = new Error("no port was given")
  for (const port of ports)
    try {
      return await listenOn(port, handlers)
    } catch (error) {
      refusal = error
    }
  throw refusal
}

async function listenOn(wanted: number, handlers: LoopbackHandlers): Promise<LoopbackListener> {
  const datagrams = await Bun.udpSocket({
    hostname: LOOPBACK,
    port: wanted,
    socket: {
      data: (_, bytes, port, address) => handlers.datagram(bytes, address, port),
      // of one that was sent: who asked is there no more
      error() {},
    },
  })
  try {
    growReceiveBuffer(datagrams.port, WAITING_BYTES)
    const streams = new Streams(datagrams.port, handlers)
    return {
      port: datagrams.port,
      send(bytes, address, port) {
        try {
          datagrams.send(bytes, port, address)
        } catch {
          // the kernel has no room, or no way to who asked
        }
      },
      write: (id, bytes) => streams.write(id, bytes),
      close: (id) => streams.close(id),
      [Symbol.dispose]() {
        datagrams.close()
        streams[Symbol.dispose]()
      },
    }
  } catch (error) {
    datagrams.close()
    throw error
  }
}

interface Connection {
  id: number
  unsent: Uint8Array[]
}

/** The connections of one port. */
class Streams implements Disposable {
  readonly #open = new Map<number, Socket<Connection>>()
  readonly #listener: { stop(closeActive: boolean): void }
  #last = 0

  constructor(port: number, handlers: LoopbackHandlers) {
    this.#listener = Bun.listen<Connection>({
      hostname: LOOPBACK,
      port,
      exclusive: true,
      socket: {
        open: (socket) => {
          const id = ++this.#last
          socket.data = { id, unsent: [] }
          this.#open.set(id, socket)
          handlers.connected(id, socket.remoteAddress)
        },
        data: (socket, bytes) => handlers.received(socket.data.id, bytes),
        drain: flush,
        close: ({ data: { id } }) => {
          if (this.#open.delete(id)) handlers.closed(id)
        },
        error: (socket) => void socket.terminate(),
      },
    })
  }

  write(id: number, bytes: Uint8Array): void {
    const socket = this.#open.get(id)
    if (socket === undefined) return
    socket.data.unsent.push(bytes)
    flush(socket)
    const unsentBytes = socket.data.unsent.reduce((sum, { length }) => sum + length, 0)
    if (unsentBytes > MOST_UNSENT_BYTES) socket.terminate()
  }

  close(id: number): void {
    this.#open.get(id)?.end()
  }

  [Symbol.dispose](): void {
    this.#listener.stop(true)
  }
}

function flush(socket: Socket<Connection>): void {
  const { unsent } = socket.data
  for (let [next] = unsent; next !== undefined; [next] = unsent) {
    const sent = socket.write(next)
    if (sent < next.length) {
      if (sent > 0) unsent[0] = next.subarray(sent)
      return
    }
    unsent.shift()
  }
}
