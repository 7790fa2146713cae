/**
 * A registry under load and faults: many clients, slow and silent ones, bodies of another length than they say, a full disk.
 *
 * One user is enough.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { spawnSync, type ChildProcess } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { Readable } from "node:stream"
import { Skiff } from "../support/skiff.ts"
import { asRootOnly, testUnless } from "../support/store.ts"
import { eventually } from "../support/wait.ts"

const MIB = 1024 ** 2
const skiff = new Skiff()
afterAll(() => skiff.close())
const digestOf = (bytes: Uint8Array | string) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`

interface Server {
  url: string
  process: ChildProcess
}

async function serve(directory: string): Promise<Server> {
  const server = skiff.spawn(["registry", "serve", "--listen", "127.0.0.1:0", "--storage", directory])
  const [line] = (await once(createInterface({ input: server.stdout ?? Readable.from([]) }), "line")) as string[]
  return { url: line ?? "", process: server }
}

async function end({ process }: Server): Promise<void> {
  process.kill("SIGTERM")
  await once(process, "exit")
}

/** The most memory that the process has had, in bytes. */
function peakMemory({ process }: Server): number {
  const [, kib] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${process.pid}/status`, "utf8")) ?? []
  return Number(kib) * 1024
}

async function socketTo({ url }: Server, text: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, "connect")
  socket.on("error", () => {})
  socket.write(text)
  return socket
}

const begin = async ({ url }: Server, repository: string) =>
  (await fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: "POST" })).headers.get("Location") ?? ""

describe("a registry", () => {
  const directory = join(skiff.directory, "home", "registry")
  let server: Server
  beforeAll(async () => void (server = await serve(directory)))
  afterAll(async () => {
    await end(server)
    rmSync(directory, { recursive: true })
  })

  test("takes and gives blobs of 256 clients at once, in bounded memory", async () => {
    const blob = (name: string) => Buffer.alloc(MIB, `blob ${name} `)
    await fetch(`${server.url}/v2/`)
    const wave = async (name: string) => {
      const outcomes = await Promise.all(
        Array.from({ length: 256 }, async (_, index) => {
          const [repository, bytes] = [`many/${index % 16}`, blob(`${name} ${index}`)]
          const digest = digestOf(bytes)
          const location = await begin(server, repository)
          await fetch(`${server.url}${location}`, { method: "PATCH", body: bytes.subarray(0, 300_000) })
          const put = await fetch(`${server.url}${location}?digest=${digest}`, {
            method: "PUT",
            body: bytes.subarray(300_000),
          })
          const got = await fetch(`${server.url}/v2/${repository}/blobs/${digest}`)
          return put.status === 201 && digestOf(new Uint8Array(await got.arrayBuffer())) === digest
        }),
      )
      expect(outcomes.filter((isRight) => !isRight)).toEqual([])
      return peakMemory(server)
    }
    const peaks = [await wave("first"), await wave("second"), await wave("third"), await wave("fourth")]
    expect(readdirSync(join(directory, "ingest"))).toEqual([])
    // as many again take no more: nothing stays of who is gone
    expect((peaks[3] ?? Infinity) - (peaks[1] ?? 0)).toBeLessThan(128 * MIB)
  }, 120_000)

  test("answers while hundreds of clients are silent in the middle of their requests", async () => {
    const location = await begin(server, "slow")
    const beginnings = [
      "GET /v2/ HT",
      "GET /v2/ HTTP/1.1\r\nHost: x\r\nX-Slow: ",
      `PATCH ${location} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n`,
      "POST /v2/slow/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n",
      "PUT /v2/slow/manifests/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n{",
    ]
    const sockets = await Promise.all(
      Array.from({ length: 400 }, (_, index) => socketTo(server, beginnings[index % beginnings.length] ?? "")),
    )
    const digest = digestOf("beside them")
    const put = await fetch(`${server.url}/v2/app/blobs/uploads/?digest=${digest}`, {
      method: "POST",
      body: "beside them",
    })
    expect(put.status).toBe(201)
    expect(await (await fetch(`${server.url}/v2/app/blobs/${digest}`)).text()).toBe("beside them")
    for (const socket of sockets) socket.destroy()
  })

  test("takes a pull that nobody reads for what it is: no memory, and no harm to others", async () => {
    const bytes = Buffer.alloc(32 * MIB, "never read ")
    const digest = digestOf(bytes)
    await fetch(`${server.url}/v2/large/blobs/uploads/?digest=${digest}`, { method: "POST", body: bytes })
    const before = peakMemory(server)
    const sockets = await Promise.all(
      Array.from({ length: 32 }, async () => {
        const socket = await socketTo(server, `GET /v2/large/blobs/${digest} HTTP/1.1\r\nHost: x\r\n\r\n`)
        await once(socket, "data")
        return socket.pause()
      }),
    )
    expect((await fetch(`${server.url}/v2/`)).status).toBe(200)
    expect(peakMemory(server) - before).toBeLessThan(256 * MIB)
    for (const socket of sockets) socket.destroy()
  })

  test("takes of a body no more than its length, and what came of one that ends before", async () => {
    const location = await begin(server, "length")
    const range = async () => (await fetch(`${server.url}${location}`)).headers.get("Range")
    const long = await socketTo(
      server,
      `PATCH ${location} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n0123more than it said\r\n\r\n`,
    )
    await eventually(async () => expect(await range()).toBe("0-3"))
    long.destroy()
    const short = await socketTo(server, `PATCH ${location} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n4567`)
    await eventually(async () => expect(await range()).toBe("0-7"))
    short.end()
    const done = await fetch(`${server.url}${location}?digest=${digestOf("01234567")}`, { method: "PUT" })
    expect(done.status).toBe(201)
  })
})

testUnless(asRootOnly)("a full disk cuts an upload, which goes on where it was once there is room", async () => {
  const directory = join(skiff.directory, "small")
  mkdirSync(directory)
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", directory])
  expect(mounted.status).toBe(0)
  const server = await serve(directory)
  try {
    const bytes = Buffer.alloc(6 * MIB, "what has no room ")
    const filler = Buffer.alloc(5 * MIB, "filler ")
    const push = (repository: string, content: Uint8Array<ArrayBuffer>) =>
      fetch(`${server.url}/v2/${repository}/blobs/uploads/?digest=${digestOf(content)}`, {
        method: "POST",
        body: content,
      })
    expect((await push("filler", filler)).status).toBe(201)
    const location = await begin(server, "app")
    const full = await fetch(`${server.url}${location}`, { method: "PATCH", body: bytes })
    expect([full.status, await full.text()]).toEqual([503, expect.stringContaining("no space left")])
    // others are served
    const other = await fetch(`${server.url}/v2/filler/blobs/${digestOf(filler)}`)
    expect(digestOf(new Uint8Array(await other.arrayBuffer()))).toBe(digestOf(filler))
    rmSync(join(directory, "blobs", digestOf(filler).replace(":", "/")))
    const held = await fetch(`${server.url}${location}`)
    const from = Number(held.headers.get("Range")?.split("-")[1]) + 1
    expect(from).toBeGreaterThan(MIB)
    const rest = await fetch(`${server.url}${location}?digest=${digestOf(bytes)}`, {
      method: "PUT",
      body: bytes.subarray(from),
      headers: { "Content-Range": `${from}-${bytes.length - 1}` },
    })
    expect(rest.status).toBe(201)
    const got = await fetch(`${server.url}/v2/app/blobs/${digestOf(bytes)}`)
    expect(digestOf(new Uint8Array(await got.arrayBuffer()))).toBe(digestOf(bytes))
  } finally {
    await end(server)
    spawnSync("umount", [directory])
  }
})
