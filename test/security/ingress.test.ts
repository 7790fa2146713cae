/** Callers who hold the proxy of Ingresses up: by waiting, by trickling, by floods of HTTP/2. Real connections, byte by byte. One user is enough. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import http from "node:http"
import net from "node:net"
import tls from "node:tls"
import { USUAL_LIMITS, type IngressLimits } from "../../src/kube/ingress/limits.ts"
import { Proxy } from "../../src/kube/ingress/proxy.ts"
import { IngressServers, type KeyPair } from "../../src/kube/ingress/servers.ts"
import { needPrograms } from "../support/programs.ts"
import { tempDirectory } from "../support/temp-directory.ts"
import { eventually } from "../support/wait.ts"

needPrograms("openssl")

const HOST = "web.example"
const HEADERS = 1
const RST = 3
const SETTINGS = 4
const PING = 6
const CONTINUATION = 9
const END_STREAM = 1
const END_HEADERS = 4

/** Long enough for whoever does as he should on a loaded machine. */
const QUICK: IngressLimits = { ...USUAL_LIMITS, headMs: 1_000, idleMs: 1_000, bodyMs: 700, bodyBytes: 64 }
const FLOOD = 4_000

const frame = (type: number, flags: number, id: number, payload: Uint8Array = new Uint8Array()): Buffer => {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(id, 5)
  return Buffer.concat([head, payload])
}
const word = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)])
/** RFC 7541: literals, without tables and Huffman's code; 0x87 is `:scheme: https`. */
const head = (path: string, method = "GET"): Buffer =>
  Buffer.concat([
    Buffer.from([0x02]),
    word(method),
    Buffer.from([0x87, 0x04]),
    word(path),
    Buffer.from([0x01]),
    word(HOST),
  ])
const PREFACE = Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(SETTINGS, 0, 0)])

/** One connection, and what it got. */
interface Caller {
  socket: net.Socket
  text: () => string
  isClosed: () => boolean
  /** Types of the frames that came, each with its payload. */
  frames: () => { type: number; payload: Buffer }[]
}

function callerOf(socket: net.Socket): Caller {
  const pieces: Buffer[] = []
  let isClosed = false
  socket.on("data", (bytes: Buffer) => pieces.push(bytes))
  socket.on("error", () => {})
  socket.on("close", () => (isClosed = true))
  return {
    socket,
    text: () => Buffer.concat(pieces).toString("latin1"),
    isClosed: () => isClosed,
    frames() {
      const all = Buffer.concat(pieces)
      const found: { type: number; payload: Buffer }[] = []
      for (let at = 0; at + 9 <= all.length;) {
        const size = all.readUIntBE(at, 3)
        found.push({ type: all[at + 3] ?? 0, payload: all.subarray(at + 9, at + 9 + size) })
        at += 9 + size
      }
      return found
    },
  }
}

const closed = (...callers: Caller[]) =>
  eventually(() => expect(callers.map((one) => one.isClosed())).toEqual(callers.map(() => true)), 10_000)

const trickle = ({ socket }: Caller, text = "a", everyMs = 100): void => {
  const timer = setInterval(() => socket.writable && socket.write(text), everyMs)
  socket.once("close", () => clearInterval(timer))
}

const post = (size: number) => `POST /slow HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: ${size}\r\n\r\n`

const ask = (caller: Caller, method = "GET") =>
  caller.socket.write(`${method} /x HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: ${method === "GET" ? 0 : 9}\r\n\r\n`)

describe("the proxy of Ingresses", () => {
  const directory = tempDirectory("skiff-ingress-security-")
  let backendPort = 0
  let backend: http.Server
  let pair: KeyPair
  let ports = 18_600
  const closes: (() => void)[] = []

  beforeAll(async () => {
    backend = http.createServer((request, response) => {
      if (request.url === "/much") {
        response.writeHead(200)
        const more = (): void => {
          while (response.write(Buffer.alloc(256 * 1024))) continue
          response.once("drain", more)
        }
        return more()
      }
      request.resume()
      request.on("end", () => response.end(`you asked ${request.url}\n`))
    })
    await new Promise<void>((resolve) => backend.listen(0, "127.0.0.1", resolve))
    backendPort = (backend.address() as net.AddressInfo).port
    const [key, cert] = [`${directory}/key`, `${directory}/crt`]
    const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout ${key} -out ${cert} -subj /CN=${HOST}`
    expect(spawnSync("openssl", words.split(" ")).status).toBe(0)
    pair = { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") }
  })
  afterAll(() => {
    for (const close of closes) close()
    backend.close()
    backend.closeAllConnections()
  })

  async function open(limits: IngressLimits) {
    const [plainPort, tlsPort] = [ports++, ports++]
    const proxy = new Proxy(
      {
        find: (_, path) => ({
          backend: { namespace: "default", service: "web", port: { number: 80 } },
          path,
          redirectsToTls: false,
        }),
        upstream: () => ({ endpoints: [{ address: "127.0.0.1", port: backendPort }], protocol: "http" }),
        tlsPort: () => tlsPort,
      },
      limits,
    )
    const servers = new IngressServers(proxy, "127.0.0.1", limits)
    await servers.listen(plainPort)
    await servers.serveTls(new Map([[HOST, pair]]), tlsPort)
    closes.push(() => {
      servers.close()
      proxy.close()
    })
    const secure = (protocol: string): Promise<Caller> =>
      new Promise((resolve, reject) => {
        const socket = tls.connect({
          host: "127.0.0.1",
          port: tlsPort,
          servername: HOST,
          ALPNProtocols: [protocol],
          rejectUnauthorized: false,
        })
        socket.once("secureConnect", () => resolve(callerOf(socket)))
        socket.once("error", reject)
      })
    return {
      proxy,
      plain: (localAddress = "127.0.0.1") =>
        callerOf(net.connect({ host: "127.0.0.1", port: plainPort, localAddress })),
      silent: () => callerOf(net.connect(tlsPort, "127.0.0.1")),
      secure,
      async h2() {
        const caller = await secure("h2")
        caller.socket.write(PREFACE)
        return caller
      },
      get: async () => (await fetch(`http://127.0.0.1:${plainPort}/x`, { headers: { host: HOST } })).text(),
    }
  }

  test("cuts who begins and says no more, with and without TLS, in HTTP/1.1 and HTTP/2", async () => {
    const it = await open(QUICK)
    const field = `GET / HTTP/1.1\r\nHost: ${HOST}\r\nX: `
    const [plain, dripping, silent] = [it.plain(), it.plain(), it.silent()]
    const [tlsSilent, tlsDripping, h2Silent] = [
      await it.secure("http/1.1"),
      await it.secure("http/1.1"),
      await it.secure("h2"),
    ]
    const [h2Idle, h2Open] = [await it.h2(), await it.h2()]
    for (const caller of [dripping, tlsDripping]) {
      caller.socket.write(field)
      trickle(caller)
    }
    // a head that never ends, made of nothing
    h2Open.socket.write(frame(HEADERS, END_STREAM, 1, head("/")))
    const timer = setInterval(() => h2Open.socket.writable && h2Open.socket.write(frame(CONTINUATION, 0, 1)), 100)
    await closed(silent, tlsSilent, tlsDripping, h2Silent, h2Idle, h2Open)
    clearInterval(timer)
    await closed(plain, dripping)
    expect(await it.get()).toBe("you asked /x\n")
  }, 30_000)

  test("cuts a connection that is kept and not used, and none that is in use", async () => {
    const it = await open(QUICK)
    const [kept, h2] = [it.plain(), await it.h2()]
    kept.socket.write(`GET /1 HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
    h2.socket.write(frame(HEADERS, END_STREAM | END_HEADERS, 1, head("/1")))
    await eventually(() => expect([kept.text(), h2.text()].every((text) => text.includes("you asked /1"))).toBe(true))
    await closed(kept, h2)
  }, 30_000)

  test("ends a body of which next to nothing comes, whose place another gets, and none that comes", async () => {
    const it = await open(QUICK)
    const [slow, fast] = [it.plain(), it.plain()]
    slow.socket.write(post(100_000))
    trickle(slow)
    fast.socket.write(post(4_000))
    trickle(fast, "a".repeat(200))
    await eventually(() => expect(slow.text()).toStartWith("HTTP/1.1 408"), 10_000)
    await eventually(() => expect(fast.text()).toContain("you asked /slow"), 10_000)
    const h2 = await it.h2()
    h2.socket.write(frame(HEADERS, END_HEADERS, 1, head("/slow", "POST")))
    trickle(h2, frame(0, 0, 1, Buffer.from("a")).toString("latin1"))
    await closed(slow)
    await eventually(() => expect(it.proxy.open).toBe(0), 10_000)
    await eventually(() => expect(h2.frames().some(({ type }) => type === HEADERS)).toBe(true))
    h2.socket.destroy()
  }, 30_000)

  test("cuts who takes nothing of his answer, in HTTP/1.1 and HTTP/2", async () => {
    const it = await open(QUICK)
    const [plain, h2] = [it.plain(), await it.h2()]
    plain.socket.pause()
    plain.socket.write(`GET /much HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
    // his window is 65,535 bytes, and he never widens it
    h2.socket.write(frame(HEADERS, END_STREAM | END_HEADERS, 1, head("/much")))
    await eventually(() => expect(it.proxy.open).toBe(2))
    await eventually(() => expect(it.proxy.open).toBe(0), 15_000)
    plain.socket.destroy()
    h2.socket.destroy()
  }, 30_000)

  test("gives one caller no more than his share, and others theirs", async () => {
    const it = await open({ ...USUAL_LIMITS, requests: 4, requestsOfOne: 2, connections: 8, connectionsOfOne: 5 })
    const held = [it.plain("127.0.0.2"), it.plain("127.0.0.2")]
    for (const caller of held) ask(caller, "POST")
    await eventually(() => expect(it.proxy.open).toBe(2))
    const [third, other] = [it.plain("127.0.0.2"), it.plain("127.0.0.3")]
    ask(third)
    ask(other)
    await eventually(() => expect(third.text()).toStartWith("HTTP/1.1 503"))
    await eventually(() => expect(other.text()).toContain("you asked /x"))
    // and so many connections
    const more = Array.from({ length: 6 }, () => it.plain("127.0.0.4"))
    await eventually(() => expect(more.filter((one) => one.isClosed()).length).toBeGreaterThan(0))
    for (const { socket } of [...held, third, other, ...more]) socket.destroy()
    await eventually(() => expect(it.proxy.open).toBe(0))
  }, 30_000)

  test.each<[string, (index: number) => Buffer]>([
    [
      "requests that are taken back (CVE-2023-44487)",
      (index) =>
        Buffer.concat([
          frame(HEADERS, END_STREAM | END_HEADERS, 2 * index + 1, head("/r")),
          frame(RST, 0, 2 * index + 1, Buffer.from([0, 0, 0, 8])),
        ]),
    ],
    [
      "requests that we take back (CVE-2025-8671)",
      (index) =>
        Buffer.concat([
          frame(HEADERS, END_HEADERS, 2 * index + 1, head("/r", "POST")),
          frame(8, 0, 2 * index + 1, Buffer.alloc(4)),
        ]),
    ],
    ["requests that never end", (index) => frame(HEADERS, END_HEADERS, 2 * index + 1, head("/s", "POST"))],
    ["settings (CVE-2019-9515)", () => frame(SETTINGS, 0, 0, Buffer.from([0, 4, 0, 0, 255, 255]))],
    ["pings (CVE-2019-9512)", () => frame(PING, 0, 0, Buffer.alloc(8))],
    [
      "continuations of one head (CVE-2024-27983)",
      (index) =>
        index === 0
          ? frame(HEADERS, END_STREAM, 1, head("/c"))
          : frame(CONTINUATION, 0, 1, Buffer.concat([Buffer.from([0]), word(`x${index}`), word("a".repeat(100))])),
    ],
    [
      "data without any (CVE-2019-9518)",
      (index) => (index === 0 ? frame(HEADERS, END_HEADERS, 1, head("/d", "POST")) : frame(0, 0, 1)),
    ],
  ])(
    "cuts a flood of %s, and answers others",
    async (_, flood) => {
      const it = await open({ ...USUAL_LIMITS, bodyMs: 2_000 })
      const caller = await it.h2()
      const before = process.memoryUsage().rss
      for (let index = 0; index < FLOOD && !caller.isClosed(); index++) {
        caller.socket.write(flood(index))
        // as it goes, and not all of it at once
        if (index % 100 === 99) await new Promise((resolve) => setImmediate(resolve))
      }
      await closed(caller)
      expect(await it.get()).toBe("you asked /x\n")
      await eventually(() => expect(it.proxy.open).toBe(0), 10_000)
      expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 ** 2)
    },
    40_000,
  )
})
