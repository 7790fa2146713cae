import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { createSocket, type RemoteInfo, type Socket } from "node:dgram"
import { createServer, type Server } from "node:net"
import { stayBehind, type StayBehind } from "../../sys/net/stay-behind.ts"
import { parseQuery, parseResponse, ResponseCode, writeResponse, type Query } from "./message.ts"
import { writeName } from "./name.ts"
import { frame, FrameReader } from "./tcp-frames.ts"
import { Upstream, type Errand } from "./upstream.ts"

/** What a server says, in the order of its asking; `reply` may be called by anybody, from anywhere. */
type Script = (query: Query, from: RemoteInfo, reply: (message: Uint8Array) => void) => void

/** Listens for datagrams at an address of the loopback; the first chooses the port. */
class NameServer implements Disposable {
  readonly asked: { query: Query; port: number }[] = []
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  static async open(address: string, port: number, script: Script): Promise<NameServer> {
    const socket = createSocket("udp4")
    const server = new NameServer(socket)
    socket.on("message", (message, from) => {
      const query = parseQuery(message)
      if (query === undefined) return
      server.asked.push({ query, port: from.port })
      script(query, from, (answer) => socket.send(answer, from.port, from.address))
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    socket.bind(port, address, resolve)
    await promise
    return server
  }

  get port(): number {
    return this.#socket.address().port
  }

  [Symbol.dispose](): void {
    this.#socket.close()
  }
}

let outside: StayBehind
beforeAll(async () => {
  outside = await stayBehind()
})
afterAll(() => outside[Symbol.dispose]())

const address = (last: number) => ({ type: 1, data: new Uint8Array([192, 0, 2, last]) })
const saying = (query: Query, last: number): Uint8Array =>
  writeResponse(query, { code: 0, answers: [address(last)] }, 512)
const silent: Script = () => {}

function errand(servers: readonly string[], name = "www.example.org"): Errand {
  const question = new Uint8Array([...writeName(name), 0, 1, 0, 1])
  return {
    message: new Uint8Array([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...question]),
    question,
    servers,
    isLong: false,
  }
}

const lastByte = (answer: Uint8Array | undefined): number | undefined => answer?.at(-1)

describe("a question", () => {
  test("goes out by another port and under another number each time", async () => {
    using server = await NameServer.open("127.0.0.1", 0, (query, _, reply) => reply(saying(query, 1)))
    const upstream = new Upstream(() => outside, server.port)
    for (let count = 0; count < 20; count++) expect(lastByte(await upstream.ask(errand(["127.0.0.1"])))).toBe(1)
    expect(new Set(server.asked.map(({ port }) => port)).size).toBeGreaterThan(15)
    expect(new Set(server.asked.map(({ query }) => query.id)).size).toBeGreaterThan(15)
  })

  test("hears nobody but the server that was asked, and no answer to another question", async () => {
    const forger = createSocket("udp4")
    using server = await NameServer.open("127.0.0.1", 0, (query, from, reply) => {
      // right in all, from the wrong address; then from the right one: another number, another question, no answer at all
      forger.send(saying(query, 66), from.port, from.address, () => {
        reply(saying({ ...query, id: query.id ^ 1 }, 67))
        reply(saying({ ...query, question: new Uint8Array([...writeName("evil.example.org"), 0, 1, 0, 1]) }, 68))
        reply(new Uint8Array([1, 2, 3]))
        reply(saying(query, 1))
      })
    })
    try {
      expect(lastByte(await new Upstream(() => outside, server.port).ask(errand(["127.0.0.1"])))).toBe(1)
    } finally {
      forger.close()
    }
  })

  test("is asked once of a server that is named twice, and holds nobody up when that refuses", async () => {
    using refusing = await NameServer.open("127.0.0.1", 0, (query, _, reply) =>
      reply(writeResponse(query, { code: ResponseCode.refused }, 512)),
    )
    const answer = await new Upstream(() => outside, refusing.port).ask(errand(["127.0.0.1", "127.0.0.1"]))
    expect(parseResponse(answer ?? new Uint8Array()).code).toBe(ResponseCode.refused)
    expect(refusing.asked.length).toBe(1)
    const before = process.cpuUsage()
    // nobody is at 127.0.0.3
    await new Upstream(() => outside, refusing.port).ask(errand(["127.0.0.3", "127.0.0.3"]))
    expect(process.cpuUsage(before).user).toBeLessThan(1_000_000)
  })

  test("goes to the next server when one is not there, is silent or refuses, and first to those that speak after that", async () => {
    using refusing = await NameServer.open("127.0.0.1", 0, (query, _, reply) =>
      reply(writeResponse(query, { code: ResponseCode.refused }, 512)),
    )
    const { port } = refusing
    using quiet = await NameServer.open("127.0.0.2", port, silent)
    using speaking = await NameServer.open("127.0.0.4", port, (query, _, reply) => reply(saying(query, 4)))
    const upstream = new Upstream(() => outside, port)
    // nobody is at 127.0.0.3
    const servers = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"]
    expect(lastByte(await upstream.ask(errand(servers)))).toBe(4)
    expect(lastByte(await upstream.ask(errand(servers)))).toBe(4)
    expect(quiet.asked.length).toBe(1)
    expect(speaking.asked.length).toBe(2)
  })

  test("that all servers refuse is answered so, and not asked for ever", async () => {
    using server = await NameServer.open("127.0.0.1", 0, (query, _, reply) =>
      reply(writeResponse(query, { code: ResponseCode.serverFailure }, 512)),
    )
    const answer = await new Upstream(() => outside, server.port).ask(errand(["127.0.0.1", "127.0.0.9"]))
    expect(parseResponse(answer ?? new Uint8Array()).code).toBe(ResponseCode.serverFailure)
    expect(server.asked.length).toBe(1)
  })

  test("whose first datagram is lost is asked again", async () => {
    let count = 0
    using server = await NameServer.open("127.0.0.1", 0, (query, _, reply) => {
      if (count++ > 0) reply(saying(query, 1))
    })
    expect(lastByte(await new Upstream(() => outside, server.port).ask(errand(["127.0.0.1"])))).toBe(1)
  })

  test("that nobody can answer is given up", async () => {
    using server = await NameServer.open("127.0.0.1", 0, silent)
    const { port } = server
    expect(await new Upstream(() => outside, port).ask(errand(["127.0.0.9"]))).toBeUndefined()
    expect(await new Upstream(() => outside, port).ask(errand([]))).toBeUndefined()
  })
})

test("an answer that did not fit is fetched by TCP, in whatever pieces it comes", async () => {
  const many = Array.from({ length: 100 }, (_, index) => address(index))
  using server = await NameServer.open("127.0.0.1", 0, (query, _, reply) =>
    reply(writeResponse(query, { code: 0, answers: many }, 512)),
  )
  const stream = await openStream(server.port, (query) => writeResponse(query, { code: 0, answers: many }, 65535))
  try {
    const upstream = new Upstream(() => outside, server.port)
    expect(parseResponse((await upstream.ask(errand(["127.0.0.1"]))) ?? new Uint8Array()).isTruncated).toBe(true)
    const whole = await upstream.ask({ ...errand(["127.0.0.1"]), isLong: true })
    expect(parseResponse(whole ?? new Uint8Array()).isTruncated).toBe(false)
    expect(whole?.length).toBeGreaterThan(1600)
  } finally {
    stream.close()
  }
})

async function openStream(port: number, say: (query: Query) => Uint8Array): Promise<Server> {
  const server = createServer((socket) => {
    const frames = new FrameReader()
    socket.on("data", (bytes: Buffer) => {
      for (const message of frames.read(bytes)) {
        const query = parseQuery(message)
        if (query === undefined) continue
        const answer = frame(say(query))
        socket.write(answer.subarray(0, 1))
        setTimeout(() => socket.write(answer.subarray(1, 700)), 5)
        setTimeout(() => socket.write(answer.subarray(700)), 10)
      }
    })
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(port, "127.0.0.1", resolve)
  await promise
  return server
}
