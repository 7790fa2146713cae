/** Immutable tags and quotas, by the registry's HTTP. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openContentStore } from "../../content/open.ts"
import { OPEN_ACCESS } from "./access.ts"
import { isImmutable, type Limits } from "./limits.ts"
import { limitedStore } from "./limited-store.ts"
import { serve } from "./serve.ts"
import type { RegistryServer } from "./server.ts"
import { DirectoryStore } from "./store/directory-store.ts"

const MANIFEST = "application/vnd.oci.image.manifest.v1+json"
const digestOf = (content: string) => `sha256:${createHash("sha256").update(content).digest("hex")}`

let directory: string
const opened: AsyncDisposable[] = []
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "skiff-registry-limits-"))))
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
})

/** A server of its own on the same directory. */
function open(limits: Limits): RegistryServer {
  const store = new DirectoryStore(directory, openContentStore({ root: directory }))
  const server = serve({ store: limitedStore(store, limits), access: OPEN_ACCESS }, { hostname: "127.0.0.1", port: 0 })
  opened.push(store, server)
  return server
}

const ask = ({ url }: RegistryServer, method: string, path: string, init: RequestInit = {}) =>
  fetch(new URL(path, url), { method, ...init })
const upload = (server: RegistryServer, repository: string, content: string) =>
  ask(server, "POST", `/v2/${repository}/blobs/uploads/?digest=${digestOf(content)}`, { body: content })
const outcome = async (answer: Response) => {
  const text = await answer.text()
  return text === ""
    ? answer.status
    : [answer.status, (JSON.parse(text) as { errors: { code: string }[] }).errors[0]?.code]
}

const imageOf = (note: string) =>
  JSON.stringify({
    schemaVersion: 2,
    config: { mediaType: "x/y", digest: digestOf("{}"), size: 2 },
    layers: [],
    annotations: { note },
  })
async function push(server: RegistryServer, repository: string, tag: string, note: string) {
  await upload(server, repository, "{}")
  return outcome(
    await ask(server, "PUT", `/v2/${repository}/manifests/${tag}`, {
      body: imageOf(note),
      headers: { "Content-Type": MANIFEST },
    }),
  )
}

describe("immutable tags", () => {
  const immutable = [
    { repositories: "release/**", tags: "*" },
    { repositories: "**", tags: "v*" },
  ]

  test("are set once, again to the same, and neither moved nor deleted; others are free", async () => {
    const server = open({ immutable })
    const done = [
      await push(server, "release/app", "1", "one"),
      await push(server, "release/app", "1", "one"),
      await push(server, "release/app", "1", "two"),
      await push(server, "app", "v1", "one"),
      await push(server, "app", "v1", "two"),
      await push(server, "app", "latest", "one"),
      await push(server, "app", "latest", "two"),
    ]
    const denied = [403, "DENIED"]
    expect(done).toEqual([201, 201, denied, 201, denied, 201, 201])
    const remove = async (reference: string) => outcome(await ask(server, "DELETE", `/v2/app/manifests/${reference}`))
    expect([await remove("v1"), await remove(digestOf(imageOf("one")))]).toEqual([denied, denied])
    expect([await remove("latest"), await remove(digestOf(imageOf("two")))]).toEqual([202, 202])
    expect(await outcome(await ask(server, "DELETE", `/v2/app/blobs/${digestOf("{}")}`))).toEqual(denied)
    expect((await ask(server, "GET", "/v2/app/manifests/v1")).headers.get("Docker-Content-Digest")).toBe(
      digestOf(imageOf("one")),
    )
  })

  test("are set by one of many who push them at once, at two servers", async () => {
    const servers = [open({ immutable }), open({ immutable })]
    const notes = Array.from({ length: 16 }, (_, index) => `image ${index}`)
    const done = await Promise.all(
      notes.map((note, index) => push(servers[index % 2] as RegistryServer, "app", "v1", note)),
    )
    expect(done.filter((one) => one === 201)).toHaveLength(1)
    expect(await (await ask(servers[0] as RegistryServer, "GET", "/v2/app/manifests/v1")).text()).toBe(
      imageOf(notes[done.indexOf(201)] ?? ""),
    )
  })

  test.each([
    ["*", "anything", true],
    ["v*", "v1", true],
    ["v*", "1v", false],
    ["v*.*-rc", "v1.0-rc", true],
    ["v*v", "v", false],
    ["1.0", "1.0", true],
    ["1.0", "1x0", false],
    [`${"a*".repeat(60)}b`, "a".repeat(128), false],
  ])("of the pattern %s: %s: %p", (tags, tag, expected) => {
    expect(isImmutable([{ repositories: "**", tags }], "app", tag)).toBe(expected)
  })
})

describe("quotas", () => {
  const quotas = [{ bytes: 10_000 }, { repositories: "small/**", bytes: 1000 }]
  const full = [413, "DENIED"]

  test("refuse what goes beyond, by its length or where it ends, and take what has room", async () => {
    const server = open({ quotas })
    expect(await outcome(await upload(server, "small/app", "a".repeat(900)))).toBe(201)
    expect(await outcome(await upload(server, "small/other", "b".repeat(900)))).toEqual(full)
    expect(await outcome(await upload(server, "large", "b".repeat(900)))).toBe(201)
    // chunked: it does not say how much comes
    const location = (await ask(server, "POST", "/v2/large/blobs/uploads/")).headers.get("Location") ?? ""
    const body = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(20_000))
        controller.close()
      },
    })
    expect(await outcome(await ask(server, "PATCH", location, { body }))).toEqual(full)
    expect(await outcome(await ask(server, "PATCH", location, { body: "c".repeat(5000) }))).toBe(202)
    expect(await outcome(await upload(server, "large", "d".repeat(5000)))).toEqual(full)
    // given up, it takes no room
    expect(await outcome(await ask(server, "DELETE", location))).toBe(204)
    expect(await outcome(await upload(server, "large", "d".repeat(5000)))).toBe(201)
  })

  test("count a blob of several repositories once, and refuse to mount what has no room", async () => {
    const server = open({ quotas })
    await upload(server, "large", "e".repeat(1100))
    const mount = (to: string) =>
      ask(server, "POST", `/v2/${to}/blobs/uploads/?mount=${digestOf("e".repeat(1100))}&from=large`)
    expect([await outcome(await mount("other")), await outcome(await mount("small/app"))]).toEqual([201, full])
    await upload(server, "small/a", "f".repeat(600))
    await upload(server, "small/b", "f".repeat(600))
    expect(await push(open({ quotas }), "small/c", "1", "after a new start")).toBe(201)
  })
})
