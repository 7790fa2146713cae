/**
 * Where streams are fetched: kubelet is told a URL, and joins its client to what is behind it. A URL works once, within a minute, and cannot
 * be guessed: it is all that is asked for, since kubelet has no other word to give.
 */
import { randomBytes } from "node:crypto"
import { createServer, type Server, type Socket } from "node:net"
import { Unavailable } from "../../base/errors.ts"
import type { Engine } from "../../engine/engine.ts"
import { headEnd, MAX_HEAD_BYTES, parseHead, type RequestHead } from "./http-head.ts"
import { joinStream, refuse } from "./join-stream.ts"
import type { StreamRequest } from "./stream-request.ts"

/** How long a URL waits for its client. */
const PROMISE_MS = 60_000
/** At once. */
const MAX_PROMISES = 1000
const MAX_CONNECTIONS = 2000
/** How long a client may take to say what it wants. */
const HEAD_MS = 10_000

interface Promised {
  request: StreamRequest
  expiresAt: number
}

export class StreamServer implements AsyncDisposable {
  readonly #engine: Engine
  readonly #server: Server
  readonly #promised = new Map<string, Promised>()
  readonly #sockets = new Set<Socket>()
  #base = ""

  private constructor(engine: Engine) {
    this.#engine = engine
    this.#server = createServer((socket) => this.#greet(socket))
  }

  /** Throws errno errors: EADDRINUSE, EACCES, EADDRNOTAVAIL. */
  static async listen(engine: Engine, hostname: string, port: number): Promise<StreamServer> {
    const server = new StreamServer(engine)
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", reject)
      server.#server.listen(port, hostname, () => {
        server.#server.off("error", reject)
        resolve()
      })
    })
    const address = server.#server.address()
    const bound = typeof address === "object" && address !== null ? address.port : port
    server.#base = `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${bound}`
    return server
  }

  /** Where it listens. */
  get url(): string {
    return this.#base
  }

  /** A URL for a stream. Throws Unavailable when too many wait. */
  promise(request: StreamRequest): string {
    const now = Date.now()
    for (const [token, { expiresAt }] of this.#promised) if (expiresAt < now) this.#promised.delete(token)
    if (this.#promised.size >= MAX_PROMISES)
      throw new Unavailable(`${MAX_PROMISES} streams were asked for, and nobody has come for them`)
    const token = randomBytes(32).toString("base64url")
    this.#promised.set(token, { request, expiresAt: now + PROMISE_MS })
    return `${this.#base}/${request.kind}/${token}`
  }

  /** Cuts what is under way: the programs of execs end with their clients. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  #greet(socket: Socket): void {
    if (this.#sockets.size >= MAX_CONNECTIONS) return void socket.destroy()
    this.#sockets.add(socket)
    socket.on("error", () => socket.destroy())
    socket.once("close", () => this.#sockets.delete(socket))
    let head: Buffer = Buffer.alloc(0)
    const timer = setTimeout(() => socket.destroy(), HEAD_MS)
    const gone = (): void => clearTimeout(timer)
    const read = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk])
      const end = headEnd(head)
      if (end === undefined && head.length <= MAX_HEAD_BYTES) return
      clearTimeout(timer)
      socket.pause()
      socket.off("data", read)
      socket.off("close", gone)
      if (end === undefined) return refuse(socket, 431, "Request Header Fields Too Large")
      const request = parseHead(head.toString("latin1", 0, end))
      if (request === undefined) return refuse(socket, 400, "Bad Request")
      void this.#answer(socket, request, head.subarray(end)).catch(() => socket.destroy())
    }
    socket.once("close", gone)
    socket.on("data", read)
  }

  async #answer(socket: Socket, head: RequestHead, rest: Uint8Array): Promise<void> {
    const [, kind, token = ""] = /^\/(exec|attach|portforward)\/([\w-]{43})(?:\?|$)/.exec(head.path) ?? []
    const promised = this.#promised.get(token)
    if (promised === undefined || promised.request.kind !== kind || promised.expiresAt < Date.now())
      return refuse(socket, 404, "Not Found", "no such stream, or its time is over\n")
    const onJoin = (): boolean => this.#promised.delete(token)
    await joinStream(this.#engine, socket, { head, rest, request: promised.request, onJoin })
  }
}
