/** The registry by its HTTP alone, as the distribution specification says it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { eventually } from "../../../test/support/wait.ts"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openContentStore } from "../../content/open.ts"
import { OPEN_ACCESS } from "./access.ts"
import { serve } from "./serve.ts"
import type { RegistryServer } from "./server.ts"
import { DirectoryStore } from "./store/directory-store.ts"

const digestOf = (bytes: string | Uint8Array, algorithm = "sha256") =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`
const MANIFEST = "application/vnd.oci.image.manifest.v1+json"
const INDEX = "application/vnd.oci.image.index.v1+json"

let directory: string
let store: DirectoryStore
let server: RegistryServer
const open = () => {
  store = new DirectoryStore(directory, openContentStore({ root: directory }))
  server = serve({ store, access: OPEN_ACCESS }, { hostname: "127.0.0.1", port: 0 })
}
const ask = (
  method: string,
  path: string,
  options: { body?: string | Uint8Array<ArrayBuffer>; headers?: Record<string, string> } = {},
) => fetch(new URL(path, server.url), { method, ...options })
const catalog = async (query: string) =>
  ((await (await ask("GET", `/v2/_catalog${query}`)).json()) as { repositories: string[] }).repositories
const codes = async (answer: Response) => {
  const { errors } = (await answer.json()) as { errors: { code: string }[] }
  return [answer.status, ...errors.map(({ code }) => code)]
}

/** Pushes a blob in one request; gives its digest. */
async function pushBlob(repository: string, content: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = digestOf(content)
  const answer = await ask("POST", `/v2/${repository}/blobs/uploads/?digest=${digest}`, { body: content })
  expect(answer.status).toBe(201)
  return digest
}

const descriptor = (content: string, mediaType = "application/octet-stream") => ({
  mediaType,
  digest: digestOf(content),
  size: content.length,
})

/** Pushes an image of one layer; gives its manifest's digest. */
async function pushImage(repository: string, tag: string, { layer = "layer", more = {} } = {}): Promise<string> {
  await Promise.all([pushBlob(repository, "{}"), pushBlob(repository, layer)])
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: descriptor("{}"),
    layers: [descriptor(layer)],
    ...more,
  }
  const body = JSON.stringify(manifest)
  const answer = await ask("PUT", `/v2/${repository}/manifests/${tag}`, { body, headers: { "Content-Type": MANIFEST } })
  expect(answer.status).toBe(201)
  expect(answer.headers.get("Docker-Content-Digest")).toBe(digestOf(body))
  return digestOf(body)
}

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "skiff-registry-"))
  open()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await store[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
})

describe("a registry", () => {
  test("says that it is one", async () => {
    const answer = await ask("GET", "/v2/")
    expect([answer.status, answer.headers.get("Docker-Distribution-Api-Version"), await answer.text()]).toEqual([
      200,
      "registry/2.0",
      "{}",
    ])
    expect((await ask("GET", "/v1/search")).status).toBe(404)
  })

  test.each([
    ["/v2/UPPER/tags/list", [400, "NAME_INVALID"]],
    ["/v2/a/../b/manifests/x%2f..", [400, "TAG_INVALID"]],
    ["/v2/a//b/manifests/x", [400, "NAME_INVALID"]],
    ["/v2/_layers/manifests/x", [400, "NAME_INVALID"]],
    ["/v2/a/manifests/sha256:abc", [400, "DIGEST_INVALID"]],
    ["/v2/none/tags/list", [404, "NAME_UNKNOWN"]],
    ["/v2/none/manifests/latest", [404, "NAME_UNKNOWN"]],
    ["/v2/a/blobs/uploads/0123", [404, "BLOB_UPLOAD_UNKNOWN"]],
    ["/v2/a/blobs/uploads/", [405, "UNSUPPORTED"]],
  ])("answers %s by its code", async (path, expected) => {
    // fetch would tidy the path up
    const raw = await rawRequest(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    const [, status = "", body = ""] = /^HTTP\/1.1 (\d+)[\s\S]*?\r\n\r\n([\s\S]*)$/.exec(raw) ?? []
    const found = [
      Number(status),
      ...(JSON.parse(body) as { errors: { code: string }[] }).errors.map(({ code }) => code),
    ]
    expect(found).toEqual(expected as (string | number)[])
  })
})

describe("blobs", () => {
  test("come in one request, and go out whole or in part", async () => {
    const digest = await pushBlob("one/request", "0123456789")
    const path = `/v2/one/request/blobs/${digest}`
    const whole = await ask("GET", path)
    expect([await whole.text(), whole.headers.get("Docker-Content-Digest")]).toEqual(["0123456789", digest])
    const head = await ask("HEAD", path)
    expect([head.status, head.headers.get("Content-Length")]).toEqual([200, "10"])
    const parts = ["bytes=2-4", "bytes=7-", "bytes=-2", "bytes=0-99", "lines=1-2", "bytes=0-1,3-4"]
    const texts = await Promise.all(parts.map(async (Range) => (await ask("GET", path, { headers: { Range } })).text()))
    expect(texts).toEqual(["234", "789", "89", "0123456789", "0123456789", "0123456789"])
    const part = await ask("GET", path, { headers: { Range: "bytes=2-4" } })
    expect([part.status, part.headers.get("Content-Range")]).toEqual([206, "bytes 2-4/10"])
    const beyond = await ask("GET", path, { headers: { Range: "bytes=10-" } })
    expect([beyond.status, beyond.headers.get("Content-Range")]).toEqual([416, "bytes */10"])
    expect((await ask("GET", path, { headers: { "If-None-Match": `"${digest}"` } })).status).toBe(304)
    // what belongs to one repository is none of another's
    expect(await codes(await ask("GET", `/v2/other/blobs/${digest}`))).toEqual([404, "BLOB_UNKNOWN"])
  })

  test("come in parts, each at the place where the last one ended", async () => {
    const begun = await ask("POST", "/v2/in/parts/blobs/uploads/")
    expect(begun.status).toBe(202)
    const location = begun.headers.get("Location") ?? ""
    const patch = (range: string, body: string) => ask("PATCH", location, { body, headers: { "Content-Range": range } })
    const first = await patch("0-4", "01234")
    expect([first.status, first.headers.get("Range"), first.headers.get("Location")]).toEqual([202, "0-4", location])
    const outOfOrder = await patch("7-9", "789")
    expect([outOfOrder.status, outOfOrder.headers.get("Range")]).toEqual([416, "0-4"])
    expect((await patch("0-4", "01234")).status).toBe(416)
    const status = await ask("GET", location)
    expect([status.status, status.headers.get("Range")]).toEqual([204, "0-4"])
    expect((await patch("bytes 5-7/10", "567")).headers.get("Range")).toBe("0-7")
    const digest = digestOf("0123456789")
    const done = await ask("PUT", `${location}?digest=${digest}`, { body: "89", headers: { "Content-Range": "8-9" } })
    expect([done.status, done.headers.get("Location")]).toEqual([201, `/v2/in/parts/blobs/${digest}`])
    expect(await (await ask("GET", `/v2/in/parts/blobs/${digest}`)).text()).toBe("0123456789")
    expect((await ask("GET", location)).status).toBe(404)
  })

  test("go on at another server of the same directory, when the first is gone", async () => {
    const begun = await ask("POST", "/v2/taken/over/blobs/uploads/")
    const location = begun.headers.get("Location") ?? ""
    await ask("PATCH", location, { body: "first " })
    await server[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
    open()
    expect((await ask("GET", location)).headers.get("Range")).toBe("0-5")
    const done = await ask("PUT", `${location}?digest=${digestOf("first second")}`, { body: "second" })
    expect(done.status).toBe(201)
  })

  test("with other bytes than their digest says are none, and their upload is over", async () => {
    const wrong = digestOf("something else")
    const single = await ask("POST", `/v2/wrong/blobs/uploads/?digest=${wrong}`, { body: "bytes" })
    expect(await codes(single)).toEqual([400, "DIGEST_INVALID"])
    const location = (await ask("POST", "/v2/wrong/blobs/uploads/")).headers.get("Location") ?? ""
    expect(await codes(await ask("PUT", `${location}?digest=${wrong}`, { body: "bytes" }))).toEqual([
      400,
      "DIGEST_INVALID",
    ])
    expect((await ask("GET", location)).status).toBe(404)
    expect((await ask("HEAD", `/v2/wrong/blobs/${wrong}`)).status).toBe(404)
    const none = (await ask("POST", "/v2/wrong/blobs/uploads/")).headers.get("Location") ?? ""
    expect(await codes(await ask("PUT", none, { body: "bytes" }))).toEqual([400, "DIGEST_INVALID"])
    expect((await ask("DELETE", none)).status).toBe(204)
    expect(readdirSync(join(directory, "ingest"))).toEqual([])
  })

  test("of sha512, and the empty one, are as good as any", async () => {
    for (const content of ["of sha512", ""]) {
      const digest = digestOf(content, "sha512")
      const location = (await ask("POST", "/v2/sha512/blobs/uploads/")).headers.get("Location") ?? ""
      expect((await ask("PUT", `${location}?digest=${digest}`, { body: content })).status).toBe(201)
      expect(await (await ask("GET", `/v2/sha512/blobs/${digest}`)).text()).toBe(content)
    }
  })

  test("are mounted from another repository, and from none that has them not", async () => {
    const digest = await pushBlob("mount/from", "mounted")
    const mount = (from: string) => ask("POST", `/v2/mount/to/blobs/uploads/?mount=${digest}${from}`)
    expect((await mount("&from=mount/none")).status).toBe(202)
    expect((await mount("")).status).toBe(202)
    expect((await ask("HEAD", `/v2/mount/to/blobs/${digest}`)).status).toBe(404)
    expect((await mount("&from=mount/from")).status).toBe(201)
    expect(await (await ask("GET", `/v2/mount/to/blobs/${digest}`)).text()).toBe("mounted")
  })

  test("are deleted of one repository alone", async () => {
    const digest = await pushBlob("delete/one", "deleted")
    await pushBlob("delete/two", "deleted")
    expect((await ask("DELETE", `/v2/delete/one/blobs/${digest}`)).status).toBe(202)
    expect((await ask("DELETE", `/v2/delete/one/blobs/${digest}`)).status).toBe(404)
    expect((await ask("HEAD", `/v2/delete/two/blobs/${digest}`)).status).toBe(200)
  })

  test("whose body ends before its length keep what came", async () => {
    const location = (await ask("POST", "/v2/cut/blobs/uploads/")).headers.get("Location") ?? ""
    const range = async () => (await ask("GET", location)).headers.get("Range")
    const socket = await rawSocket(`PATCH ${location} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nonly this`)
    await eventually(async () => expect(await range()).toBe("0-8"))
    socket.destroy()
    const rest = await ask("PATCH", location, { body: " and the rest", headers: { "Content-Range": "9-21" } })
    expect([rest.status, rest.headers.get("Range")]).toEqual([202, "0-21"])
    const digest = digestOf("only this and the rest")
    expect((await ask("PUT", `${location}?digest=${digest}`)).status).toBe(201)
  })
})

describe("manifests", () => {
  test("are found by tag and by digest, with their type, and blobs are told that are missing", async () => {
    const digest = await pushImage("images/app", "v1")
    for (const reference of ["v1", digest]) {
      const answer = await ask("GET", `/v2/images/app/manifests/${reference}`)
      expect([answer.headers.get("Content-Type"), answer.headers.get("Docker-Content-Digest")]).toEqual([
        MANIFEST,
        digest,
      ])
      expect(digestOf(await answer.text())).toBe(digest)
      const head = await ask("HEAD", `/v2/images/app/manifests/${reference}`)
      expect([head.status, head.headers.get("Docker-Content-Digest")]).toEqual([200, digest])
    }
    const body = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: descriptor("nowhere"), layers: [] })
    const refused = await ask("PUT", "/v2/images/app/manifests/broken", { body, headers: { "Content-Type": MANIFEST } })
    expect(await codes(refused)).toEqual([404, "MANIFEST_BLOB_UNKNOWN"])
    expect(await codes(await ask("GET", "/v2/images/app/manifests/broken"))).toEqual([404, "MANIFEST_UNKNOWN"])
  })

  test("of an index may lead to platforms that are not here", async () => {
    const manifests = [{ ...descriptor("elsewhere", MANIFEST), platform: { os: "linux", architecture: "s390x" } }]
    const body = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests })
    const put = await ask("PUT", "/v2/images/index/manifests/all", { body, headers: { "Content-Type": INDEX } })
    expect(put.status).toBe(201)
    expect((await ask("GET", "/v2/images/index/manifests/all")).headers.get("Content-Type")).toBe(INDEX)
  })

  test.each([
    ["no JSON", MANIFEST, "{"],
    [
      "another type than was said",
      INDEX,
      JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: descriptor(""), layers: [] }),
    ],
    ["both at once", MANIFEST, JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, manifests: [], layers: [] })],
    ["no digest", MANIFEST, JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: { size: 1 }, layers: [] })],
    ["an unknown type", "text/html", "{}"],
    ["Docker's schema 1", "application/vnd.docker.distribution.manifest.v1+json", JSON.stringify({ schemaVersion: 1 })],
    ["depth", MANIFEST, "[".repeat(100_000)],
  ])("that are %s are refused", async (_, type, body) => {
    const answer = await ask("PUT", "/v2/images/bad/manifests/x", { body, headers: { "Content-Type": type } })
    expect(await codes(answer)).toEqual([400, "MANIFEST_INVALID"])
  })

  test("that are too large are refused before they are read", async () => {
    const body = new Uint8Array(5 * 1024 ** 2)
    const answer = await ask("PUT", "/v2/images/bad/manifests/x", { body, headers: { "Content-Type": MANIFEST } })
    expect(await codes(answer)).toEqual([413, "SIZE_INVALID"])
  })

  test("are deleted by digest with their tags, and a tag by its name alone", async () => {
    const digest = await pushImage("delete/image", "one")
    await pushImage("delete/image", "two")
    expect((await ask("DELETE", "/v2/delete/image/manifests/one")).status).toBe(202)
    expect((await ask("GET", `/v2/delete/image/manifests/${digest}`)).status).toBe(200)
    expect((await ask("DELETE", `/v2/delete/image/manifests/${digest}`)).status).toBe(202)
    expect(await (await ask("GET", "/v2/delete/image/tags/list")).json()).toEqual({ name: "delete/image", tags: [] })
    expect((await ask("GET", "/v2/delete/image/manifests/two")).status).toBe(404)
  })

  test("with a subject are its referrers, of all types or of one, until they are deleted", async () => {
    const subject = { ...descriptor("not here yet", MANIFEST) }
    const refer = (artifactType: string, note: string) =>
      pushImage("refer", note, { more: { artifactType, subject, annotations: { note } } })
    const put = await refer("application/sbom", "one")
    await refer("application/signature", "two")
    const list = async (query = "") => {
      const answer = await ask("GET", `/v2/refer/referrers/${subject.digest}${query}`)
      expect(answer.headers.get("Content-Type")).toBe(INDEX)
      const { manifests } = (await answer.json()) as { manifests: { artifactType: string; annotations: object }[] }
      return { filtered: answer.headers.get("OCI-Filters-Applied"), manifests }
    }
    expect((await list()).manifests).toHaveLength(2)
    const ofOne = await list("?artifactType=application/sbom")
    expect(ofOne.filtered).toBe("artifactType")
    expect(ofOne.manifests).toMatchObject([
      { artifactType: "application/sbom", digest: put, annotations: { note: "one" } },
    ])
    await ask("DELETE", `/v2/refer/manifests/${put}`)
    expect((await list()).manifests).toMatchObject([{ artifactType: "application/signature" }])
    expect((await ask("GET", "/v2/refer/referrers/sha256:x")).status).toBe(400)
    expect(await (await ask("GET", `/v2/nobody/referrers/${subject.digest}`)).json()).toMatchObject({ manifests: [] })
  })
})

describe("lists", () => {
  test("come in pages, each with the way to the next", async () => {
    for (const tag of ["b", "a", "c", "A"]) await pushImage("list/tags", tag)
    const page = async (path: string) => {
      const answer = await ask("GET", path)
      const { tags } = (await answer.json()) as { tags: string[] }
      const [, next] = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get("Link") ?? "") ?? []
      return { tags, next }
    }
    expect((await page("/v2/list/tags/tags/list")).tags).toEqual(["A", "a", "b", "c"])
    const first = await page("/v2/list/tags/tags/list?n=3")
    expect(first.tags).toEqual(["A", "a", "b"])
    expect(await page(first.next ?? "")).toEqual({ tags: ["c"], next: undefined })
    expect(await page("/v2/list/tags/tags/list?n=0")).toEqual({ tags: [], next: undefined })
    expect((await page("/v2/list/tags/tags/list?last=a&n=1")).tags).toEqual(["b"])
    expect((await page("/v2/list/tags/tags/list?n=999999999")).tags).toHaveLength(4)
    expect((await ask("GET", "/v2/list/tags/tags/list?n=-1")).status).toBe(400)
  })

  test("name all repositories, in the order of their bytes, and none is lost between pages", async () => {
    for (const name of ["catalog/a", "catalog/a/b", "catalog/a-b"]) await pushImage(name, "x")
    expect((await catalog("")).filter((name) => name.startsWith("catalog/"))).toEqual([
      "catalog/a",
      "catalog/a-b",
      "catalog/a/b",
    ])
    expect(await catalog("?n=1&last=catalog/a")).toEqual(["catalog/a-b"])
    expect(await catalog("?n=1&last=catalog/a-b")).toEqual(["catalog/a/b"])
  })
})

test("200 clients that push and pull at once get what they sent", async () => {
  const tasks = Array.from({ length: 200 }, async (_, index) => {
    const content = Buffer.alloc(50_000, `${index} `)
    const digest = await pushBlob(`many/${index % 7}`, content)
    return digestOf(await (await ask("GET", `/v2/many/${index % 7}/blobs/${digest}`)).bytes()) === digest
  })
  expect((await Promise.all(tasks)).every(Boolean)).toBe(true)
})

/** A connection to the server that has sent `text`. */
async function rawSocket(text: string): Promise<Socket> {
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  await once(socket, "connect")
  socket.write(text)
  return socket
}

/** Sends `text`, and gives what the server answers until it closes. */
async function rawRequest(text: string): Promise<string> {
  const socket = await rawSocket(text)
  let answer = ""
  for await (const chunk of socket) answer += String(chunk)
  return answer
}
