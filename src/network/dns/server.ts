/** The resolver's port: datagrams and connections come in, answers go out. */
import { listenOnLoopback, type LoopbackListener } from "../../sys/net/loopback-listener.ts"
import type { Responder } from "./respond.ts"
import { frame, FrameReader } from "./tcp-frames.ts"

/** A connection that asks nothing for so long is closed (RFC 7766, section 6.2.3). */
const IDLE_MS = 10_000
const LOOK_EVERY_MS = 2_000
/** Of all containers; of one. */
const MOST_CONNECTIONS = 512
const MOST_OF_ONE = 32
/** Questions of one connection that wait for their answers. */
const MOST_PENDING = 64

interface Connection {
  from: string
  frames: FrameReader
  pending: number
  heardAt: number
}

/** Answers on a port of the loopback, the first of `ports` that is free, until it is disposed. Throws when none is. */
export async function serve(responder: Responder, ports: readonly number[]): Promise<{ port: number } & Disposable> {
  const connections = new Connections(responder)
  const listener = await listenOnLoopback(ports, {
    datagram(message, from, port) {
      const response = responder.respond({ message, from, byTcp: false })
      if (response instanceof Promise) void response.then((bytes) => listener.send(bytes, from, port))
      else if (response !== undefined) listener.send(response, from, port)
    },
    connected: (id, from) => connections.add(id, from, listener),
    received: (id, bytes) => connections.read(id, bytes, listener),
    closed: (id) => connections.forget(id),
  })
  const looks = setInterval(() => connections.closeIdle(listener), LOOK_EVERY_MS)
  return {
    port: listener.port,
    [Symbol.dispose]() {
      clearInterval(looks)
      listener[Symbol.dispose]()
    },
  }
}

class Connections {
  readonly #responder: Responder
  readonly #open = new Map<number, Connection>()

  constructor(responder: Responder) {
    this.#responder = responder
  }

  add(id: number, from: string, listener: LoopbackListener): void {
    const ofOne = [...this.#open.values()].filter((connection) => connection.from === from).length
    if (this.#open.size >= MOST_CONNECTIONS || ofOne >= MOST_OF_ONE) return listener.close(id)
    this.#open.set(id, { from, frames: new FrameReader(), pending: 0, heardAt: Date.now() })
  }

  read(id: number, bytes: Uint8Array, listener: LoopbackListener): void {
    const connection = this.#open.get(id)
    if (connection === undefined) return
    connection.heardAt = Date.now()
    for (const message of connection.frames.read(bytes)) {
      if (connection.pending >= MOST_PENDING) return this.#close(id, listener)
      const response = this.#responder.respond({ message, from: connection.from, byTcp: true })
      if (response === undefined) return this.#close(id, listener)
      if (!(response instanceof Promise)) {
        listener.write(id, frame(response))
        continue
      }
      connection.pending++
      void response.then((answer) => {
        connection.pending--
        listener.write(id, frame(answer))
      })
    }
  }

  closeIdle(listener: LoopbackListener): void {
    const before = Date.now() - IDLE_MS
    for (const [id, { heardAt, pending }] of this.#open)
      if (heardAt < before && pending === 0) this.#close(id, listener)
  }

  forget(id: number): void {
    this.#open.delete(id)
  }

  #close(id: number, listener: LoopbackListener): void {
    this.#open.delete(id)
    listener.close(id)
  }
}
