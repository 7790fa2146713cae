import { afterEach, describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import { writeFileSync } from "node:fs"
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http"
import { join } from "node:path"
import type { Digest } from "../../spec/digest.ts"
import { MediaType, type Descriptor } from "../../spec/oci-image.ts"
import type { RegistryTarget, TargetOptions } from "../registry.ts"
import { ownSettings } from "../../../test/support/own-settings.ts"
import { openRegistries } from "../open.ts"
import { serve, type TestServer } from "./test-server.ts"

const LIMITS = { answerTimeoutMs: 2_000, uploadTimeoutMs: 400, stallTimeoutMs: 300, attempts: 3, retryDelayMs: 5 }
const directory = ownSettings()
const servers: TestServer[] = []
afterEach(async () => {
  for (const started of servers.splice(0)) await started[Symbol.asyncDispose]()
})

const digestOf = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}` as Digest
const blobBytes = Buffer.alloc(3_000_000, "0123456789abcdef")
const blob: Descriptor = { mediaType: MediaType.ociLayerGzip, digest: digestOf(blobBytes), size: blobBytes.length }
async function* read(offset: number): AsyncGenerator<Uint8Array> {
  for (let at = offset; at < blobBytes.length; at += 65_536) yield blobBytes.subarray(at, at + 65_536)
}

type Fault = (request: IncomingMessage, response: ServerResponse, held: Buffer) => boolean

/** A registry as small as the distribution spec allows, which can be told to fail. */
class SmallRegistry {
  readonly blobs = new Map<string, Buffer>()
  readonly manifests = new Map<string, { type: string; body: Buffer }>()
  readonly sessions = new Map<string, Buffer>()
  /** True: it has answered, or cut the line, instead. */
  fault: Fault = () => false
  server: TestServer | undefined

  get host(): string {
    return this.server?.host ?? ""
  }

  readonly listener: RequestListener = (request, response) => {
    const url = new URL(request.url ?? "", "http://x")
    const session = /\/uploads\/(\w+)$/.exec(url.pathname)?.[1]
    const held = this.sessions.get(session ?? "") ?? Buffer.alloc(0)
    if (this.fault(request, response, held)) return
    if (request.method === "HEAD") {
      const body = this.blobs.get(url.pathname.split("/").at(-1) ?? "")
      response.writeHead(body ? 200 : 404, body ? { "content-length": body.length } : {}).end()
    } else if (request.method === "POST") {
      if (this.blobs.has(url.searchParams.get("mount") ?? "")) return void response.writeHead(201).end()
      const id = `s${this.sessions.size}`
      this.sessions.set(id, Buffer.alloc(0))
      response.writeHead(202, { location: `/v2/a/b/blobs/uploads/${id}` }).end()
    } else if (request.method === "DELETE") response.writeHead(204).end()
    else if (session !== undefined && !this.sessions.has(session)) response.writeHead(404).end()
    else if (request.method === "GET")
      response.writeHead(204, { location: url.pathname, range: `0-${held.length - 1}` }).end()
    else this.#take(request, response, url, session, held)
  }

  #take(request: IncomingMessage, response: ServerResponse, url: URL, session: string | undefined, held: Buffer): void {
    const chunks = [held]
    const keep = () => session !== undefined && this.sessions.set(session, Buffer.concat(chunks))
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    // what came before the line was cut is kept, as registries do
    request.on("close", keep)
    request.on("end", () => {
      keep()
      const whole = Buffer.concat(chunks)
      if (session === undefined) {
        this.manifests.set(url.pathname, { type: request.headers["content-type"] ?? "", body: whole })
        response.writeHead(201, { "docker-content-digest": digestOf(whole) }).end()
      } else if (request.method === "PATCH") response.writeHead(202, { location: url.pathname }).end()
      else {
        this.blobs.set(url.searchParams.get("digest") ?? "", whole)
        response.writeHead(201).end()
      }
    })
  }
}

async function small(): Promise<SmallRegistry> {
  const registry = new SmallRegistry()
  registry.server = await serve(registry.listener)
  servers.push(registry.server)
  return registry
}

const targetAt = (host: string, options: TargetOptions = {}): Promise<RegistryTarget> =>
  openRegistries({ limits: LIMITS }).openTarget({ registry: host, repository: "a/b", tag: "1" }, options)

const failure = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) })

describe("a blob", () => {
  test("is looked for, begun, sent in one piece and named by its digest; the second time it is there", async () => {
    const registry = await small()
    const target = await targetAt(registry.host)
    const sent: number[] = []
    expect(await target.upload(blob, read, { onProgress: (bytes) => sent.push(bytes) })).toEqual({ how: "uploaded" })
    expect(registry.blobs.get(blob.digest)?.equals(blobBytes)).toBe(true)
    expect(sent.at(-1)).toBe(blob.size)
    expect(registry.server?.requests.map(({ method }) => method)).toEqual(["HEAD", "POST", "PATCH", "PUT"])
    expect(registry.server?.requests[2]?.headers["content-length"]).toBe(String(blob.size))
    expect(await target.upload(blob, read)).toEqual({ how: "there" })
  })

  test("goes on where the registry says, when the line was cut", async () => {
    const registry = await small()
    let cuts = 0
    registry.fault = (request) => {
      if (request.method !== "PATCH" || cuts >= 2) return false
      let taken = 0
      request.on("data", (chunk: Buffer) => {
        if ((taken += chunk.length) > 500_000) request.socket.destroy()
      })
      cuts++
      return false
    }
    const target = await targetAt(registry.host)
    expect(await target.upload(blob, read)).toEqual({ how: "uploaded" })
    expect(registry.blobs.get(blob.digest)?.equals(blobBytes)).toBe(true)
    const ranges = registry.server?.requests.map(({ headers }) => headers["content-range"]).filter(Boolean)
    expect(ranges).toHaveLength(2)
    for (const range of ranges ?? []) expect(range).toMatch(new RegExp(`^\\d+-${blob.size - 1}$`))
  })

  test("is begun anew when the registry has forgotten the upload", async () => {
    const registry = await small()
    let cut = false
    registry.fault = (request) => {
      if (request.method !== "PATCH" || cut) return false
      cut = true
      registry.sessions.clear()
      request.socket.destroy()
      return true
    }
    expect(await (await targetAt(registry.host)).upload(blob, read)).toEqual({ how: "uploaded" })
    expect(registry.blobs.get(blob.digest)?.equals(blobBytes)).toBe(true)
  })

  test("of a registry that is busy for ever, or takes nothing, fails in the end", async () => {
    const registry = await small()
    registry.fault = (request, response) => {
      if (request.method !== "PATCH") return false
      request.resume()
      response.writeHead(503).end()
      return true
    }
    const target = await targetAt(registry.host)
    await expect(target.upload(blob, read)).rejects.toEqual(failure("Unavailable", /answered 503/))
    registry.fault = (request) => request.method === "PATCH" // it never reads
    await expect(target.upload(blob, read)).rejects.toEqual(failure("Unavailable", /no response in/))
  })

  test("whose source fails says so, and is not tried again", async () => {
    const registry = await small()
    let reads = 0
    async function* broken(): AsyncGenerator<Uint8Array> {
      reads++
      yield blobBytes.subarray(0, 1000)
      throw new Error("the disk is gone")
    }
    const target = await targetAt(registry.host)
    await expect(target.upload(blob, broken)).rejects.toThrow("the disk is gone")
    expect(reads).toBe(1)
  })

  test("that must not be pushed, or was refused, gives the registry's words", async () => {
    const registry = await small()
    registry.fault = (request, response) => {
      if (request.method !== "POST") return false
      response.writeHead(403).end(JSON.stringify({ errors: [{ code: "DENIED", message: "not yours" }] }))
      return true
    }
    const upload = (await targetAt(registry.host)).upload(blob, read)
    await expect(upload).rejects.toEqual(failure("PermissionDenied", /a\/b.*answered 403 not yours/))
  })
})

describe("mounting", () => {
  test("takes the place of sending where the registry does it", async () => {
    const registry = await small()
    let hasLooked = false
    registry.fault = (request, response) => {
      if (request.method !== "HEAD" || hasLooked) return false
      hasLooked = true
      registry.blobs.set(blob.digest, blobBytes)
      response.writeHead(404).end()
      return true
    }
    const target = await targetAt(registry.host, { mountFrom: ["c/d", "e/f"] })
    expect(await target.upload(blob, read, { mountFrom: ["c/d"] })).toEqual({ how: "mounted", from: "c/d" })
    expect(registry.server?.seen().at(-1)).toBe(
      `POST /v2/a/b/blobs/uploads/?mount=${encodeURIComponent(blob.digest)}&from=c%2Fd`,
    )
  })

  test("that the registry does not do begins an upload, which is used; of several but the last is given back", async () => {
    const registry = await small()
    const target = await targetAt(registry.host, { mountFrom: ["c/d", "e/f"] })
    expect(await target.upload(blob, read, { mountFrom: ["c/d", "e/f"] })).toEqual({ how: "uploaded" })
    expect(registry.server?.requests.map(({ method }) => method)).toEqual([
      "HEAD",
      "POST",
      "POST",
      "DELETE",
      "PATCH",
      "PUT",
    ])
  })

  test("from a repository that the token was not asked for is not tried", async () => {
    const registry = await small()
    await (await targetAt(registry.host)).upload(blob, read, { mountFrom: ["c/d"] })
    expect(registry.server?.seen().filter((line) => line.includes("mount"))).toEqual([])
  })
})

describe("credentials", () => {
  const credentials = { username: "anna", password: "s3cret" }

  test("one token is asked for, to push and to mount; one that ends in the middle is renewed", async () => {
    const registry = await small()
    let tokens = 0
    registry.fault = (request, response) => {
      const url = new URL(request.url ?? "", "http://x")
      if (url.pathname === "/token") {
        expect(request.headers.authorization).toStartWith("Basic ")
        expect(url.searchParams.getAll("scope")).toEqual(["repository:a/b:pull,push", "repository:c/d:pull"])
        response.end(JSON.stringify({ token: `t${++tokens}` }))
        return true
      }
      // the first token is good until a blob is to be sent
      const wanted = request.method === "PATCH" || tokens > 1 ? "Bearer t2" : "Bearer t1"
      if (request.headers.authorization === wanted) return false
      request.resume()
      const challenge = `Bearer realm="http://${registry.host}/token",service="s"`
      response.writeHead(401, { "www-authenticate": challenge }).end()
      return true
    }
    const target = await targetAt(registry.host, { credentials, mountFrom: ["c/d"] })
    expect(await target.upload(blob, read)).toEqual({ how: "uploaded" })
    expect(registry.blobs.get(blob.digest)?.equals(blobBytes)).toBe(true)
    expect(tokens).toBe(2)
  })

  test("do not go along when an upload leads to another host", async () => {
    const registry = await small()
    const elsewhere = await small()
    elsewhere.sessions.set("s9", Buffer.alloc(0))
    registry.fault = (request, response) => {
      if (request.headers.authorization === undefined)
        response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end()
      else if (request.method === "POST")
        response.writeHead(202, { location: `http://${elsewhere.host}/v2/a/b/blobs/uploads/s9` }).end()
      else return false
      return true
    }
    const target = await targetAt(registry.host, { credentials })
    expect(await target.upload(blob, read)).toEqual({ how: "uploaded" })
    expect(elsewhere.server?.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
  })

  test("an upload that leads to where clouds keep secrets, or to a file, is refused", async () => {
    for (const location of ["http://169.254.169.254/latest/", "file:///etc/passwd"]) {
      const registry = await small()
      registry.fault = (request, response) => {
        if (request.method !== "POST") return false
        response.writeHead(202, { location }).end()
        return true
      }
      const upload = (await targetAt(registry.host)).upload(blob, read)
      await expect(upload).rejects.toEqual(failure("PermissionDenied", /refused/))
    }
  })
})

describe("a manifest", () => {
  const bytes = Buffer.from('{"schemaVersion":2}')
  const manifest: Descriptor = { mediaType: MediaType.ociManifest, digest: digestOf(bytes), size: bytes.length }

  test("is put by its tag and type, byte for byte", async () => {
    const registry = await small()
    const target = await targetAt(registry.host)
    await target.putManifest(bytes, manifest, "1")
    await target.putManifest(bytes, manifest)
    for (const name of ["1", manifest.digest])
      expect(registry.manifests.get(`/v2/a/b/manifests/${name}`)).toEqual({ type: manifest.mediaType, body: bytes })
  })

  test("that the registry stored as another is an error", async () => {
    const registry = await small()
    registry.fault = (request, response) => {
      request.resume()
      response.writeHead(201, { "docker-content-digest": blob.digest }).end()
      return true
    }
    const put = (await targetAt(registry.host)).putManifest(bytes, manifest, "1")
    await expect(put).rejects.toEqual(failure("DataLoss", /stored a manifest with digest/))
  })
})

test("mirrors are not pushed to; a blocked registry is not either", async () => {
  const registry = await small()
  const conf = join(directory, "registries.conf")
  writeFileSync(
    conf,
    `[[registry]]\nprefix = "example.test/x"\nlocation = "${registry.host}/a"\n[[registry.mirror]]\nlocation = "127.0.0.1:1"\n` +
      `[[registry]]\nprefix = "evil.test"\nblocked = true\n`,
  )
  const registries = openRegistries({ limits: LIMITS })
  const target = await registries.openTarget({ registry: "example.test", repository: "x/b", tag: "1" })
  await target.upload(blob, read)
  expect(registry.server?.seen()[0]).toBe(`HEAD /v2/a/b/blobs/${blob.digest}`)
  await expect(registries.openTarget({ registry: "evil.test", repository: "x", tag: "1" })).rejects.toEqual(
    failure("PermissionDenied", /blocked/),
  )
})
