/** Garbage of a registry in a bucket of a real S3 server, removed while servers push: each step of the one beside each step of the other. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { createHash } from "node:crypto"
import { readdirSync, utimesSync } from "node:fs"
import { join } from "node:path"
import { startS3 } from "../../../../test/support/s3.ts"
import { tempDirectory } from "../../../../test/support/temp-directory.ts"
import { openContentStore } from "../../../content/open.ts"
import { digest as parseDigest } from "../route.ts"
import { Bucket, type BucketAddress } from "../../../sys/net/bucket.ts"
import { limitedStore } from "../limited-store.ts"
import { manifestContent } from "../manifest-content.ts"
import type { RemovedGarbage } from "../server.ts"
import { BucketStore } from "./bucket-store.ts"
import { DirectoryStore } from "./directory-store.ts"

setDefaultTimeout(180_000)
const directory = tempDirectory("skiff-bucket-gc-")
const s3 = await startS3(directory)
afterAll(() => s3?.stop())

const HOUR_MS = 60 * 60 * 1000
const NOTHING: RemovedGarbage = { manifests: 0, links: 0, blobs: 0, bytes: 0, uploads: 0 }
const MANIFEST = "application/vnd.oci.image.manifest.v1+json"
const INDEX = "application/vnd.oci.image.index.v1+json"
const digestOf = (content: string) => parseDigest(`sha256:${createHash("sha256").update(content).digest("hex")}`)
const descriptor = (content: string, mediaType = "application/octet-stream") => ({
  mediaType,
  digest: digestOf(content),
  size: content.length,
})
const imageOf = (layer: string, more = {}) =>
  JSON.stringify({ schemaVersion: 2, config: descriptor("{}"), layers: [descriptor(layer)], ...more })

class Killed extends Error {}

/** Counts requests: before the one of a number it does something else. Killed before a change of a number, it does nothing any more. */
class SteppedBucket extends Bucket {
  step = 0
  before: { step: number; act: () => Promise<void> } | undefined
  changes = 0
  killAt = Infinity

  async #next(isChange = false): Promise<void> {
    const step = this.step++
    if (isChange) this.changes++
    if (this.changes > this.killAt) throw new Killed()
    if (this.before?.step !== step) return
    const { act } = this.before
    this.before = undefined
    await act()
  }

  override async stat(key: string) {
    await this.#next()
    return super.stat(key)
  }
  override async bytes(key: string) {
    await this.#next()
    return super.bytes(key)
  }
  override async put(key: string, content: string | Uint8Array) {
    await this.#next(true)
    return super.put(key, content)
  }
  override async putFile(key: string, path: string, size: number) {
    await this.#next(true)
    return super.putFile(key, path, size)
  }
  override async remove(key: string) {
    await this.#next(true)
    return super.remove(key)
  }
  override async *list(prefix: string, options: { after?: string } = {}) {
    await this.#next()
    yield* super.list(prefix, options)
  }
}

let count = 0

function opened(prefix: string) {
  const spool = join(directory, `spool-${count++}`)
  const content = openContentStore({ root: spool })
  const bucket = new SteppedBucket({ ...(s3?.address as BucketAddress), prefix })
  const store = new BucketStore({ bucket, spool: new DirectoryStore(spool, content), content })
  return { store, bucket, spool }
}
type Opened = ReturnType<typeof opened>

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

/** As clients do: what is said to be there is not sent. */
async function pushBlob({ store }: Opened, repository: string, content: string): Promise<void> {
  if ((await store.blob(repository, digestOf(content))) !== undefined) return
  const { id } = await store.startUpload(repository)
  await store.append(repository, id, once(content))
  await store.finish(repository, id, digestOf(content))
}

async function putManifest({ store }: Opened, repository: string, body: string, tag?: string, type = MANIFEST) {
  const digest = digestOf(body)
  const bytes = Buffer.from(body)
  const { needed } = manifestContent(bytes, type, digest)
  const manifest = { descriptor: { mediaType: type, digest, size: bytes.length }, bytes, needed }
  await store.putManifest(repository, { ...manifest, ...(tag !== undefined && { tag }) })
}

async function push(registry: Opened, repository: string, layer: string, tag?: string, more = {}): Promise<void> {
  await pushBlob(registry, repository, "{}")
  await pushBlob(registry, repository, layer)
  await putManifest(registry, repository, imageOf(layer, more), tag)
}

async function readAll(bytes: AsyncIterable<Uint8Array> | undefined): Promise<string | undefined> {
  return bytes && Buffer.concat(await Array.fromAsync(bytes)).toString()
}

/** Throws unless the image is there with all that it needs. */
async function mustPull({ store }: Opened, repository: string, tag: string, layer: string): Promise<void> {
  const manifest = await store.manifest(repository, { tag })
  const blobs = await Promise.all(["{}", layer].map((content) => store.blob(repository, digestOf(content))))
  const found = await Promise.all(blobs.map((blob) => readAll(blob?.read())))
  expect([manifest === undefined ? undefined : "manifest", ...found]).toEqual(["manifest", "{}", layer])
}

/** Makes all objects two days old. */
function age(prefix: string): void {
  const old = new Date(Date.now() - 48 * HOUR_MS)
  const below = join(directory, "data/images", prefix)
  for (const entry of readdirSync(below, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) utimesSync(join(entry.parentPath, entry.name), old, old)
}

const collect = ({ store }: Opened, more = {}) => store.collect({ graceMs: HOUR_MS, ...more })

async function blobsOf({ bucket }: Opened): Promise<number> {
  return (await Array.fromAsync(bucket.list("blobs/"))).length
}

describe.skipIf(s3 === undefined)("garbage collection of a bucket", () => {
  test("removes what no manifest refers to, and keeps images whole", async () => {
    const one = opened("orphan/")
    await push(one, "app", "layer", "1")
    await pushBlob(one, "app", "orphan")
    expect(await collect(one)).toEqual(NOTHING)
    age("orphan/")
    const found = { ...NOTHING, links: 1, blobs: 1, bytes: 6 }
    expect(await collect(one, { dryRun: true })).toEqual({ ...NOTHING, links: 1, blobs: 1, bytes: 6 })
    expect(await blobsOf(one)).toBe(4)
    expect(await collect(one)).toEqual(found)
    expect(await one.store.blob("app", digestOf("orphan"))).toBeUndefined()
    await mustPull(one, "app", "1", "layer")
    age("orphan/")
    expect(await collect(one)).toEqual(NOTHING)
    await mustPull(one, "app", "1", "layer")
  })

  test("keeps a blob that another repository has, and removes it with the last one", async () => {
    const one = opened("shared/")
    for (const name of ["one", "two"]) await push(one, name, "shared", "1")
    expect(await blobsOf(one)).toBe(3)
    await one.store.deleteManifest("one", digestOf(imageOf("shared")))
    age("shared/")
    expect(await collect(one)).toEqual({ ...NOTHING, links: 2 })
    await mustPull(one, "two", "1", "shared")
    await one.store.deleteManifest("two", digestOf(imageOf("shared")))
    age("shared/")
    expect(await collect(one)).toMatchObject({ links: 2, blobs: 3 })
    expect(await blobsOf(one)).toBe(0)
  })

  test("leaves a blob that was just asked for, mounted or pushed again", async () => {
    const one = opened("used/")
    for (const blob of ["asked", "mounted", "pushed"]) await pushBlob(one, "app", blob)
    age("used/")
    await one.store.blob("app", digestOf("asked"))
    expect(await one.store.mount("other", "app", digestOf("mounted"))).toBe(true)
    const { id } = await one.store.startUpload("app")
    await one.store.append("app", id, once("pushed"))
    await one.store.finish("app", id, digestOf("pushed"))
    await collect(one)
    const there = ["app asked", "other mounted", "app pushed"].map(async (words) => {
      const [name = "", blob = ""] = words.split(" ")
      return readAll((await one.store.blob(name, digestOf(blob)))?.read())
    })
    expect(await Promise.all(there)).toEqual(["asked", "mounted", "pushed"])
  })

  test("removes manifests without a tag only where it is asked to, and none that an index or a subject leads to", async () => {
    const one = opened("untagged/")
    for (const layer of ["untagged", "child"]) await push(one, "app", layer)
    const [untagged, child] = ["untagged", "child"].map((layer) => descriptor(imageOf(layer), MANIFEST))
    const index = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [child] })
    await putManifest(one, "app", index, "all", INDEX)
    await push(one, "app", "signature", undefined, { subject: child })
    await push(one, "app", "lost", undefined, { subject: untagged })
    age("untagged/")
    expect(await collect(one)).toEqual(NOTHING)
    expect(await collect(one, { untagged: true })).toMatchObject({ manifests: 2, links: 2, blobs: 4 })
    const left = await Promise.all(
      [imageOf("untagged"), imageOf("child"), imageOf("signature", { subject: child }), index].map(
        async (body) => (await one.store.manifest("app", { digest: digestOf(body) })) !== undefined,
      ),
    )
    expect(left).toEqual([false, true, true, true])
    expect(await one.store.referrers("app", digestOf(imageOf("untagged")))).toEqual([])
    expect(await one.store.referrers("app", digestOf(imageOf("child")))).toHaveLength(1)
  })

  test("what was pushed before there were versions is given, kept and collected", async () => {
    const one = opened("before/")
    const put = (at: string, content: string) => one.bucket.put(at, content)
    const hex = (content: string) => digestOf(content).slice("sha256:".length)
    const manifest = imageOf("layer")
    for (const content of ["{}", "layer", manifest, "orphan"]) await put(`blobs/sha256/${hex(content)}`, content)
    for (const content of ["{}", "layer", "orphan"]) await put(`repositories/app/_layers/sha256/${hex(content)}`, "")
    await put(`repositories/app/_manifests/sha256/${hex(manifest)}`, MANIFEST)
    await put("repositories/app/_tags/1", digestOf(manifest))
    age("before/")
    expect(await collect(one)).toEqual({ ...NOTHING, links: 1, blobs: 1, bytes: 6 })
    await mustPull(one, "app", "1", "layer")
    await push(one, "other", "layer", "1")
    await mustPull(one, "other", "1", "layer")
  })

  test("a push at any step of a collection finds all that it needs, or sends it", async () => {
    let steps = Infinity
    for (let step = 0; step < steps; step++) {
      const prefix = `beside-${step}/`
      const [collector, pusher] = [opened(prefix), opened(prefix)]
      await push(collector, "old", "layer", "1")
      await collector.store.deleteManifest("old", digestOf(imageOf("layer")))
      await pushBlob(collector, "app", "layer")
      age(prefix)
      collector.bucket.step = 0
      collector.bucket.before = { step, act: () => push(pusher, "app", "layer", "1") }
      await collect(collector, { untagged: true })
      steps = Math.min(steps, collector.bucket.before === undefined ? Infinity : step)
      if (step >= steps) break
      await mustPull(pusher, "app", "1", "layer")
      age(prefix)
      await collect(collector, { untagged: true })
      await mustPull(pusher, "app", "1", "layer")
    }
    // else nothing was tried
    expect(steps).toBeGreaterThan(15)
  })

  test("a collection at any step of a push takes nothing that the push was told of", async () => {
    let steps = Infinity
    for (let step = 0; step < steps; step++) {
      const prefix = `within-${step}/`
      const [collector, pusher] = [opened(prefix), opened(prefix)]
      await push(collector, "old", "layer", "1")
      await collector.store.deleteManifest("old", digestOf(imageOf("layer")))
      await pushBlob(collector, "app", "layer")
      age(prefix)
      pusher.bucket.before = { step, act: async () => void (await collect(collector, { untagged: true })) }
      await push(pusher, "app", "layer", "1")
      steps = Math.min(steps, pusher.bucket.before === undefined ? Infinity : step)
      if (step >= steps) break
      await mustPull(pusher, "app", "1", "layer")
    }
    expect(steps).toBeGreaterThan(15)
  })

  test("killed at any step, it has taken nothing that is needed, and the next one ends the work", async () => {
    let isWhole = false
    for (let killAt = 0; !isWhole; killAt++) {
      const prefix = `killed-${killAt}/`
      const one = opened(prefix)
      await push(one, "app", "layer", "1")
      await push(one, "app", "untagged")
      await pushBlob(one, "app", "orphan")
      age(prefix)
      one.bucket.changes = 0
      one.bucket.killAt = killAt
      isWhole = await collect(one, { untagged: true }).then(
        () => true,
        (error: unknown) => {
          if (!(error instanceof Killed)) throw error
          return false
        },
      )
      const next = opened(prefix)
      await mustPull(next, "app", "1", "layer")
      await push(next, "other", "orphan", "1")
      await collect(next, { untagged: true })
      await mustPull(next, "app", "1", "layer")
      await mustPull(next, "other", "1", "orphan")
      await next.store.deleteManifest("other", digestOf(imageOf("orphan")))
      age(prefix)
      await collect(next, { untagged: true })
      // the image's layer, the common configuration and the manifest
      expect(await blobsOf(next)).toBe(3)
    }
  })

  test("a layer that a collection condemned just before it was linked is copied for the next image", async () => {
    const one = opened("rescued/")
    await push(one, "app", "layer", "1")
    const [blob] = await Array.fromAsync(one.bucket.list(`blobs/sha256/${digestOf("layer").slice(7)}`))
    const { key = "" } = blob ?? {}
    await one.bucket.put(`condemned/${key.slice("blobs/".length)}/killed`, "")
    await mustPull(one, "app", "1", "layer")
    await putManifest(one, "app", imageOf("layer", { annotations: { next: "yes" } }), "2")
    await one.bucket.remove(key)
    await mustPull(one, "app", "2", "layer")
  })

  test("is measured, in all and by repository, what several have once", async () => {
    const one = opened("measured/")
    for (const name of ["team/a", "team/b", "other"]) await push(one, name, "x".repeat(1000), "1")
    const manifest = imageOf("x".repeat(1000)).length
    const { store } = one
    expect(await store.usedBytes()).toBe(1002 + manifest)
    expect(await store.usedBytes((name) => name.startsWith("team/"))).toBe(1002 + manifest)
    expect(await store.usedBytes((name) => name === "none")).toBe(0)
    const limited = limitedStore(store, { quotas: [{ repositories: "team/**", bytes: 2000 }] })
    const { id } = await store.startUpload("team/c")
    const more = limited.writes?.append("team/c", id, once("y".repeat(900)))
    await expect(more).rejects.toMatchObject({ status: 413 })
    await store.cancel("team/c", id)
  })

  test("ends uploads that were given up, while it serves", async () => {
    const one = opened("spool/")
    await one.store.sweep()
    const { id } = await one.store.startUpload("app")
    const file = join(one.spool, "repositories/app/_uploads", id)
    const old = new Date(Date.now() - 48 * HOUR_MS)
    utimesSync(file, old, old)
    expect(await one.store.upload("app", id)).toBeDefined()
    expect((await collect(one)).uploads).toBe(1)
    expect(await one.store.upload("app", id)).toBeUndefined()
    await one.store[Symbol.asyncDispose]()
  })
})
