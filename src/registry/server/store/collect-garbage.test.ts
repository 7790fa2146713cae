/** Garbage of a registry's directory, removed while servers of it take pushes. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { hasErrno } from "../../../base/errors.ts"
import { openContentStore } from "../../../content/open.ts"
import { OPEN_ACCESS } from "../access.ts"
import { serve } from "../serve.ts"
import type { RegistryServer, RemovedGarbage } from "../server.ts"
import { DirectoryStore } from "./directory-store.ts"

const HOUR_MS = 60 * 60 * 1000
const NOTHING: RemovedGarbage = { manifests: 0, links: 0, blobs: 0, bytes: 0, uploads: 0 }
const MANIFEST = "application/vnd.oci.image.manifest.v1+json"
const INDEX = "application/vnd.oci.image.index.v1+json"
const digestOf = (content: string) => `sha256:${createHash("sha256").update(content).digest("hex")}`
const descriptor = (content: string, mediaType = "application/octet-stream") => ({
  mediaType,
  digest: digestOf(content),
  size: content.length,
})

let directory: string
let store: DirectoryStore
let server: RegistryServer
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "skiff-registry-gc-"))
  store = new DirectoryStore(directory, openContentStore({ root: directory }))
  server = serve({ store, access: OPEN_ACCESS }, { hostname: "127.0.0.1", port: 0 })
})
afterEach(async () => {
  await server[Symbol.asyncDispose]()
  await store[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
})

const ask = (method: string, path: string, init: RequestInit = {}) =>
  fetch(new URL(path, server.url), { method, ...init })
const status = async (method: string, path: string, init?: RequestInit) => (await ask(method, path, init)).status

async function pushBlob(repository: string, content: string): Promise<string> {
  const digest = digestOf(content)
  expect(await status("POST", `/v2/${repository}/blobs/uploads/?digest=${digest}`, { body: content })).toBe(201)
  return digest
}

const imageOf = (layer: string, more = {}) =>
  JSON.stringify({ schemaVersion: 2, config: descriptor("{}"), layers: [descriptor(layer)], ...more })
const putManifest = (repository: string, reference: string, body: string, type = MANIFEST) =>
  status("PUT", `/v2/${repository}/manifests/${reference}`, { body, headers: { "Content-Type": type } })

async function pushImage(repository: string, tag: string | undefined, layer: string, more = {}): Promise<string> {
  await pushBlob(repository, "{}")
  await pushBlob(repository, layer)
  const manifest = imageOf(layer, more)
  expect(await putManifest(repository, tag ?? digestOf(manifest), manifest)).toBe(201)
  return digestOf(manifest)
}

/** Makes all files two days old. */
function age(below = directory): void {
  const old = new Date(Date.now() - 48 * HOUR_MS)
  for (const entry of readdirSync(below, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) ageFile(join(entry.parentPath, entry.name), old)
}

function ageFile(path: string, time: Date): void {
  try {
    utimesSync(path, time, time)
  } catch (error) {
    // collected meanwhile
    if (!hasErrno(error, "ENOENT")) throw error
  }
}

const collect = (more = {}) => store.collect({ graceMs: HOUR_MS, ...more })
const blobFile = (digest: string) => join(directory, "blobs", digest.replace(":", "/"))

describe("garbage collection of a registry", () => {
  test("removes what no manifest refers to, and keeps images whole", async () => {
    await pushImage("app", "1", "layer")
    const orphan = await pushBlob("app", "orphan")
    age()
    expect(await collect({ dryRun: true })).toEqual({ ...NOTHING, links: 1, blobs: 1, bytes: 6 })
    expect(existsSync(blobFile(orphan))).toBe(true)
    expect(await collect()).toEqual({ ...NOTHING, links: 1, blobs: 1, bytes: 6 })
    expect(existsSync(blobFile(orphan))).toBe(false)
    expect(await status("GET", `/v2/app/blobs/${orphan}`)).toBe(404)
    expect(await (await ask("GET", `/v2/app/blobs/${digestOf("layer")}`)).text()).toBe("layer")
    age()
    expect(await collect()).toEqual(NOTHING)
  })

  test("keeps a blob that another repository has, and removes it with the last one", async () => {
    const digest = await pushImage("one", "1", "shared")
    await pushImage("two", "1", "shared")
    await ask("DELETE", `/v2/one/manifests/${digest}`)
    age()
    expect(await collect()).toEqual({ ...NOTHING, links: 2 })
    expect(await status("HEAD", `/v2/two/blobs/${digestOf("shared")}`)).toBe(200)
    await ask("DELETE", `/v2/two/manifests/${digest}`)
    age()
    expect(await collect()).toMatchObject({ links: 2, blobs: 3 })
    expect(readdirSync(join(directory, "blobs", "sha256"))).toEqual([])
  })

  test.each([
    ["asked for", (digest: string) => ask("HEAD", `/v2/app/blobs/${digest}`)],
    ["mounted", (digest: string) => ask("POST", `/v2/other/blobs/uploads/?mount=${digest}&from=app`)],
    ["pushed again", () => pushBlob("app", "orphan")],
  ])("leaves a blob that was just %s", async (_, use) => {
    const digest = await pushBlob("app", "orphan")
    age()
    await use(digest)
    await collect()
    expect(existsSync(blobFile(digest))).toBe(true)
  })

  test("leaves an upload that goes on, and ends one after a day without a word", async () => {
    const begin = async () => (await ask("POST", "/v2/app/blobs/uploads/")).headers.get("Location") ?? ""
    const [given, kept] = [await begin(), await begin()]
    await ask("PATCH", given, { body: "given up" })
    age()
    await ask("PATCH", kept, { body: "goes on" })
    await server[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
    store = new DirectoryStore(directory, openContentStore({ root: directory }))
    server = serve({ store, access: OPEN_ACCESS }, { hostname: "127.0.0.1", port: 0 })
    expect(await collect()).toEqual({ ...NOTHING, uploads: 1 })
    expect(readdirSync(join(directory, "ingest"))).toHaveLength(1)
    expect([await status("GET", given), await status("GET", kept)]).toEqual([404, 204])
  })

  test("removes manifests without a tag only where it is asked to, and none that an index or a subject leads to", async () => {
    const untagged = await pushImage("app", undefined, "untagged")
    const child = await pushImage("app", undefined, "child")
    const index = JSON.stringify({ schemaVersion: 2, manifests: [{ ...descriptor("", MANIFEST), digest: child }] })
    expect(await putManifest("app", "all", index, INDEX)).toBe(201)
    const subject = { ...descriptor("", MANIFEST), digest: child }
    const signature = await pushImage("app", undefined, "signature", { subject })
    const lost = await pushImage("app", undefined, "lost", { subject: { ...subject, digest: untagged } })
    age()
    expect(await collect()).toEqual(NOTHING)
    expect(await collect({ untagged: true })).toMatchObject({ manifests: 2, links: 2, blobs: 4 })
    const found = await Promise.all(
      [untagged, lost, child, signature, digestOf(index)].map((digest) => status("GET", `/v2/app/manifests/${digest}`)),
    )
    expect(found).toEqual([404, 404, 200, 200, 200])
    const referrers = (await (await ask("GET", `/v2/app/referrers/${untagged}`)).json()) as { manifests: unknown[] }
    expect(referrers.manifests).toEqual([])
  })

  test("removes no blob of a repository with a manifest that cannot be read", async () => {
    const digest = await pushImage("app", "1", "layer")
    rmSync(blobFile(digest))
    age()
    expect(await collect()).toEqual(NOTHING)
    expect(await status("HEAD", `/v2/app/blobs/${digestOf("layer")}`)).toBe(200)
  })

  test("in another process, killed again and again, takes nothing away that a push has seen", async () => {
    const script = `
      const { openContentStore } = await import("${import.meta.dir}/../../../content/open.ts")
      const { DirectoryStore } = await import("${import.meta.dir}/directory-store.ts")
      const store = new DirectoryStore("${directory}", openContentStore({ root: "${directory}" }))
      console.log("collects")
      for (;;) await store.collect({ graceMs: ${HOUR_MS} })`
    const start = async () => {
      const collector = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] })
      await once(collector.stdout, "data")
      return collector
    }
    const layers = Array.from({ length: 40 }, (_, index) => `layer ${index}`)
    let gone = 0
    for (let round = 0; round < 3; round++) {
      const collector = await start()
      for (const [index, layer] of layers.entries()) {
        await Promise.all([pushBlob("race", "{}"), pushBlob("race", layer)])
        age()
        const seen = await Promise.all(
          ["{}", layer].map((content) => status("HEAD", `/v2/race/blobs/${digestOf(content)}`)),
        )
        const missing = ["{}", layer].filter((_, at) => seen[at] === 404)
        gone += missing.length
        for (const content of missing) await pushBlob("race", content)
        expect(await putManifest("race", `t${round}-${index}`, imageOf(layer))).toBe(201)
        await ask("DELETE", `/v2/race/manifests/${digestOf(imageOf(layer))}`)
      }
      collector.kill("SIGKILL")
      await once(collector, "exit")
    }
    // else nothing was tried
    expect(gone).toBeGreaterThan(0)
  })
})
