/** The proxy of Ingresses between real connections. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import http from "node:http"
import http2 from "node:http2"
import net from "node:net"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { gzipSync } from "node:zlib"
import { needPrograms } from "../../../test/support/programs.ts"
import { tempDirectory } from "../../../test/support/temp-directory.ts"
import type { Upstream } from "./backends.ts"
import { Proxy } from "./proxy.ts"
import { IngressServers, type KeyPair } from "./servers.ts"

needPrograms("openssl", "curl")

const PLAIN = 18_080
const TLS = 18_443

const at = (number: number) => ({ address: "127.0.0.1", port: number })

/** Not spawnSync: who answers is this very process. */
async function curl(...words: string[]): Promise<string> {
  const names = ["web", "retry", "dead", "empty", "grpc", "a.wild", "other"].flatMap((name) => [
    "--resolve",
    `${name}.example:${TLS}:127.0.0.1`,
  ])
  const { spawn } = await import("node:child_process")
  const child = spawn("curl", ["-sk", "--max-time", "5", ...names, ...words])
  let out = ""
  child.stdout.on("data", (bytes) => (out += String(bytes)))
  await new Promise((resolve) => child.once("close", resolve))
  return out
}

async function raw(text: string, waitMs = 400): Promise<string> {
  const socket = net.connect(PLAIN, "127.0.0.1")
  let out = ""
  socket.on("data", (bytes) => (out += String(bytes)))
  socket.on("error", () => {})
  socket.write(text)
  await new Promise((resolve) => {
    socket.once("close", resolve)
    setTimeout(resolve, waitMs)
  })
  socket.destroy()
  return out
}

const ask = (path: string, upgrade = "websocket") =>
  raw(
    `GET ${path} HTTP/1.1\r\nHost: web.example\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nhello`,
  )

const plain = (host: string, path: string, ...words: string[]) =>
  curl("-H", `Host: ${host}.example`, "-w", "%{http_code}", ...words, `http://127.0.0.1:${PLAIN}${path}`)

const code = (name: string) =>
  curl(
    "-w",
    "%{http_code}",
    "-o",
    "/dev/null",
    "--resolve",
    `${name}.example:18444:127.0.0.1`,
    `https://${name}.example:18444/`,
  )

describe("the proxy of Ingresses", () => {
  const directory = tempDirectory("skiff-ingress-")
  const closes: (() => void)[] = []
  const upstreams = new Map<string, Upstream>()
  let servers: IngressServers
  let seen: { method: string; url: string; headers: string[]; body: string }[] = []

  beforeAll(async () => {
    const http1 = http.createServer((request, response) => {
      let body = ""
      request.on("data", (bytes) => (body += String(bytes)))
      request.on("end", () => {
        seen.push({ method: request.method ?? "", url: request.url ?? "", headers: request.rawHeaders, body })
        if (request.url === "/gzip") {
          response.writeHead(200, { "content-encoding": "gzip" })
          return response.end(gzipSync("packed"))
        }
        if (request.url === "/moved") {
          response.writeHead(302, { location: "http://elsewhere.test/" })
          return response.end()
        }
        response.writeHead(200, { "x-own": "1", connection: "close" })
        response.end(`you asked ${request.headers.host}${request.url}\n`)
      })
    })
    http1.on("upgrade", (request, socket) => {
      const key = createHash("sha1").update(
        `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`,
      )
      if (request.url === "/no") return socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno")
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${key.digest("base64")}\r\n\r\n`,
      )
      socket.pipe(socket)
    })
    const h2c = http2.createServer()
    h2c.on("stream", (stream: http2.ServerHttp2Stream, headers) => {
      let body = ""
      stream.on("data", (bytes) => (body += String(bytes)))
      stream.on("end", () => {
        stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true })
        stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }))
        stream.end(`${headers[":path"]} ${body}`)
      })
    })
    const port = async (server: http.Server | http2.Http2Server): Promise<number> => {
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()))
      closes.push(() => server.close())
      return (server.address() as net.AddressInfo).port
    }
    const [web, grpc] = [await port(http1), await port(h2c)]
    upstreams.set("web", { endpoints: [at(web)], protocol: "http" })
    upstreams.set("retry", { endpoints: [at(9), at(web)], protocol: "http" })
    upstreams.set("dead", { endpoints: [at(9)], protocol: "http" })
    upstreams.set("empty", { endpoints: [], protocol: "http" })
    upstreams.set("grpc", { endpoints: [at(grpc)], protocol: "h2c" })
    const proxy = new Proxy({
      find(host, path) {
        const [, service = ""] = /^(\w+)\.example$/.exec(host) ?? []
        if (service === "") return undefined
        return {
          backend: { namespace: "default", service, port: { number: 80 } },
          path,
          redirectsToTls: path === "/secure",
        }
      },
      upstream: ({ service }) => upstreams.get(service),
      tlsPort: () => TLS,
    })
    servers = new IngressServers(proxy, "127.0.0.1")
    await servers.listen(PLAIN)
    await servers.serveTls(
      new Map([
        ["web.example", pair("web.example")],
        ["*.wild.example", pair("wild.example")],
        ["grpc.example", pair("grpc.example")],
      ]),
      TLS,
    )
    closes.push(
      () => servers.close(),
      () => proxy.close(),
    )
  })
  afterAll(() => {
    for (const close of closes) close()
  })

  function pair(name: string): KeyPair {
    const [key, cert] = [`${directory}/${name}.key`, `${directory}/${name}.crt`]
    const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout ${key} -out ${cert} -subj /CN=${name}`
    expect(spawnSync("openssl", words.split(" ")).status).toBe(0)
    return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") }
  }

  test("passes a request on, with what it says of the caller, and its body", async () => {
    seen = []
    expect(
      await plain(
        "web",
        "/a?b=c",
        "-d",
        "body",
        "-H",
        "X-Forwarded-For: 203.0.113.9",
        "-H",
        "Connection: X-Hop",
        "-H",
        "X-Hop: 1",
      ),
    ).toBe("you asked web.example/a?b=c\n200")
    expect(seen[0]).toMatchObject({ method: "POST", url: "/a?b=c", body: "body" })
    const headers = Object.fromEntries(
      (seen[0]?.headers ?? []).flatMap((word, index, all) =>
        index % 2 === 0 ? [[word.toLowerCase(), all[index + 1]]] : [],
      ),
    )
    expect(headers).toMatchObject({
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "http",
      "x-forwarded-host": "web.example",
    })
    expect(headers).not.toHaveProperty("x-hop")
  })

  test("leaves what is packed packed, and follows nothing", async () => {
    expect(await plain("web", "/gzip", "--compressed")).toBe("packed200")
    expect(await plain("web", "/moved")).toBe("302")
  })

  test("tries another endpoint before anything of the request is sent, and says what is missing", async () => {
    expect(await plain("retry", "/", "-d", "body")).toContain("200")
    expect(await plain("dead", "/")).toContain("502")
    expect(await plain("empty", "/")).toContain("503")
    expect(await plain("nothing.here", "/")).toContain("404")
    expect(await plain("web", "/secure", "-o", "/dev/null", "-w", "%{redirect_url} ")).toContain(
      `https://web.example:${TLS}/secure`,
    )
  })

  test("speaks HTTP/2 and HTTP/1.1 with TLS, by the certificate of the host that is asked for", async () => {
    for (const [option, version] of [
      ["--http2", "2"],
      ["--http1.1", "1.1"],
    ] as const)
      expect(await curl(option, "-w", "%{http_version}", `https://web.example:${TLS}/x`)).toBe(
        `you asked web.example:${TLS}/x\n${version}`,
      )
    const subject = await curl("-o", "/dev/null", "-w", "%{certs}", `https://a.wild.example:${TLS}/`)
    expect(subject).toContain("CN = wild.example")
    expect(await curl("-w", "%{http_code}", `https://other.example:${TLS}/`)).toBe("000")
  })

  test("has a certificate that is none turn away its own host alone", async () => {
    const others = new IngressServers(
      new Proxy({ find: () => undefined, upstream: () => undefined, tlsPort: () => 18_444 }),
      "127.0.0.1",
    )
    closes.push(() => others.close())
    const bad = { cert: "-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n", key: "none" }
    const mixed = { cert: pair("web.example").cert, key: pair("mixed.example").key }
    await others.serveTls(
      new Map([
        ["bad.example", bad],
        ["mixed.example", mixed],
        ["web.example", pair("web.example")],
      ]),
      18_444,
    )
    expect([await code("web"), await code("bad"), await code("mixed")]).toEqual(["404", "000", "000"])
    await others.serveTls(
      new Map([
        ["bad.example", bad],
        ["later.example", pair("later.example")],
      ]),
      18_444,
    )
    expect([await code("later"), await code("bad")]).toEqual(["404", "000"])
  })

  test("passes gRPC on, with its trailers", async () => {
    const session = http2.connect(`https://127.0.0.1:${TLS}`, { rejectUnauthorized: false, servername: "grpc.example" })
    const stream = session.request({
      ":method": "POST",
      ":path": "/svc/M",
      ":authority": "grpc.example",
      te: "trailers",
    })
    let body = ""
    const trailers = new Promise<unknown>((resolve, reject) => stream.once("trailers", resolve).once("error", reject))
    stream.on("data", (bytes) => (body += String(bytes)))
    stream.end("ping")
    expect(await trailers).toMatchObject({ "grpc-status": "0" })
    expect(body).toBe("/svc/M ping")
    session.destroy()
  })

  test("joins WebSockets where the backend agrees, and no other protocol", async () => {
    const joined = await ask("/ws")
    expect(joined).toContain("101 Switching Protocols")
    expect(joined).toContain("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    expect(joined).toEndWith("hello")
    const refused = await ask("/no")
    expect(refused).toContain("403 Forbidden")
    expect(refused).not.toContain("hello")
    expect(await ask("/", "h2c")).toStartWith("HTTP/1.1 501")
  })

  test.each([
    ["two lengths", "Content-Length: 6\r\nContent-Length: 5\r\n\r\n0\r\n\r\nX"],
    ["a length and chunks", "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX"],
    ["an encoding that is not known", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"],
    ["a field before its colon", "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"],
    ["a folded field", "X: a\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["two hosts", "Host: other.example\r\nContent-Length: 0\r\n\r\n"],
  ])("refuses a request with %s, and passes nothing of it on", async (_, rest) => {
    seen = []
    expect(await raw(`POST / HTTP/1.1\r\nHost: web.example\r\n${rest}`)).toStartWith("HTTP/1.1 400")
    expect(seen).toEqual([])
  })

  test.each([
    ["GET", "Transfer-Encoding: chunked"],
    ["DELETE", "Transfer-Encoding: chunked"],
    ["OPTIONS", "Transfer-Encoding: chunked"],
    ["GET", "Connection: content-length"],
    ["DELETE", "Connection: content-length"],
    ["POST", "Connection: content-length"],
    ["POST", "Connection: transfer-encoding\r\nTransfer-Encoding: chunked"],
  ])("passes the body of a %s with %s on as a body, and not as the next request", async (method, field) => {
    let received = ""
    const backend = net.createServer((socket) => {
      socket.on("data", (bytes) => (received += String(bytes)))
      socket.on("error", () => {})
      setTimeout(() => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"), 200)
    })
    await new Promise<void>((resolve) => backend.listen(0, "127.0.0.1", () => resolve()))
    upstreams.set("raw", { endpoints: [at((backend.address() as net.AddressInfo).port)], protocol: "http" })
    const inner = "GET /admin HTTP/1.1\r\nHost: hidden.example\r\n\r\n"
    const isChunked = field.includes("chunked")
    const body = isChunked ? `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n` : inner
    const length = isChunked ? "" : `Content-Length: ${inner.length}\r\n`
    await raw(`${method} /open HTTP/1.1\r\nHost: raw.example\r\n${length}${field}\r\n\r\n${body}`, 600)
    backend.close()
    const [head = "", ...rest] = received.split("\r\n\r\n")
    expect(head).toStartWith(`${method} /open HTTP/1.1`)
    if (/\ntransfer-encoding: chunked/i.test(head))
      expect(rest[0]).toStartWith(`${inner.length.toString(16)}\r\nGET /admin`)
    else expect(head).toMatch(new RegExp(`\ncontent-length: ${inner.length}(\r|$)`, "i"))
  })

  test("answers one request after another on a connection", async () => {
    const one = "GET /1 HTTP/1.1\r\nHost: web.example\r\n\r\n"
    const found = await raw(
      `${one}${one.replace("/1", "/2").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")}`,
      1500,
    )
    expect(found).toContain("web.example/1")
    expect(found).toContain("web.example/2")
  })
})
