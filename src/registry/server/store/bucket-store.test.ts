/** A registry in a bucket of a real S3 server: what clients ask of any registry, and that it is the same for every server of the bucket. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { startS3 } from "../../../../test/support/s3.ts"
import { tempDirectory } from "../../../../test/support/temp-directory.ts"
import { openContentStore } from "../../../content/open.ts"
import { parseDigest } from "../../../spec/digest.ts"
import { Bucket, type BucketAddress } from "../../../sys/net/bucket.ts"
import { openRegistries } from "../../open.ts"
import { registrySuite } from "../../registry.suite.ts"
import { OPEN_ACCESS } from "../access.ts"
import { serve } from "../serve.ts"
import { BucketStore } from "./bucket-store.ts"
import { DirectoryStore } from "./directory-store.ts"

// servers end in order, after connections that are kept open
setDefaultTimeout(60_000)
const directory = tempDirectory("skiff-bucket-")
const s3 = await startS3(directory)
afterAll(() => s3?.stop())

/** Tells which objects came into memory whole. */
class WatchedBucket extends Bucket {
  readonly whole: string[] = []

  override bytes(key: string): Promise<Uint8Array | undefined> {
    this.whole.push(key)
    return super.bytes(key)
  }
}

let count = 0

/** A server of the bucket, with a spool of its own. */
function started(change: Partial<BucketAddress> = {}) {
  const spool = join(directory, `spool-${count++}`)
  const content = openContentStore({ root: spool })
  const bucket = new WatchedBucket({ ...(s3?.address as BucketAddress), ...change })
  const store = new BucketStore({ bucket, spool: new DirectoryStore(spool, content), content })
  const server = serve({ store, access: OPEN_ACCESS }, { hostname: "127.0.0.1", port: 0 })
  const ask = (method: string, path: string, init: { body?: string; headers?: Record<string, string> } = {}) =>
    fetch(new URL(path, server.url), { method, ...init })
  const close = async () => {
    await server[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  }
  return { store, server, spool, bucket, ask, [Symbol.asyncDispose]: close }
}

const MANIFEST = "application/vnd.oci.image.manifest.v1+json"
const EMPTY = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

async function* emptyObject(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("{}")
}

/** An image without layers, by HTTP; gives its digest. */
async function pushed({ ask }: ReturnType<typeof started>, name: string, tag: string, more = {}): Promise<string> {
  const blob = await ask("POST", `/v2/${name}/blobs/uploads/?digest=${EMPTY}`, { body: "{}" })
  const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest: EMPTY, size: 2 }
  const body = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers: [], ...more })
  const put = await ask("PUT", `/v2/${name}/manifests/${tag}`, { body, headers: { "Content-Type": MANIFEST } })
  expect([blob.status, put.status]).toEqual([201, 201])
  return put.headers.get("Docker-Content-Digest") ?? ""
}

describe.skipIf(s3 === undefined)("in a bucket", () => {
  registrySuite("a registry", openRegistries, async () => {
    const registry = started({ prefix: "suite/" })
    return { host: new URL(registry.server.url).host, access: {}, stop: () => registry[Symbol.asyncDispose]() }
  })

  test("what one server was sent the other gives, and spools hold nothing of it", async () => {
    await using one = started({ prefix: "pair/" })
    await using other = started({ prefix: "pair/" })
    const digest = await pushed(one, "team/app", "1")
    const answer = await other.ask("GET", "/v2/team/app/manifests/1")
    expect([answer.status, answer.headers.get("Docker-Content-Digest")]).toEqual([200, digest])
    const part = await other.ask("GET", `/v2/team/app/blobs/${EMPTY}`, { headers: { Range: "bytes=1-1" } })
    expect([part.status, await part.text()]).toEqual([206, "}"])
    expect((await other.ask("GET", `/v2/another/blobs/${EMPTY}`)).status).toBe(404)
    for (const { spool } of [one, other]) expect(readdirSync(join(spool, "blobs/sha256"))).toEqual([])
  })

  test("tags and repositories come in pages, in the order of their bytes", async () => {
    await using registry = started({ prefix: "lists/" })
    for (const name of ["a", "a/c", "a-b"]) await pushed(registry, name, "x")
    for (const tag of ["b", "B", "a"]) await pushed(registry, "a", tag)
    const page = async (path: string) => (await registry.ask("GET", path)).json()
    expect(await page("/v2/_catalog")).toEqual({ repositories: ["a", "a-b", "a/c"] })
    expect(await page("/v2/_catalog?n=1&last=a")).toEqual({ repositories: ["a-b"] })
    expect(await page("/v2/_catalog?n=5&last=a-b")).toEqual({ repositories: ["a/c"] })
    expect(await page("/v2/a/tags/list?n=2")).toEqual({ name: "a", tags: ["B", "a"] })
    expect(await page("/v2/a/tags/list?n=2&last=a")).toEqual({ name: "a", tags: ["b", "x"] })
    expect((await registry.ask("GET", "/v2/none/tags/list")).status).toBe(404)
  })

  test("referrers and tags go with their manifest", async () => {
    await using registry = started({ prefix: "gone/" })
    const subject = await pushed(registry, "app", "1")
    const more = { artifactType: "application/x", subject: { mediaType: MANIFEST, digest: subject, size: 1 } }
    const digest = await pushed(registry, "app", "signed", more)
    const referrers = async () =>
      ((await (await registry.ask("GET", `/v2/app/referrers/${subject}`)).json()) as { manifests: unknown[] }).manifests
    expect(await referrers()).toMatchObject([{ digest, artifactType: "application/x" }])
    expect((await registry.ask("DELETE", `/v2/app/manifests/${digest}`)).status).toBe(202)
    expect((await registry.ask("DELETE", `/v2/app/manifests/${digest}`)).status).toBe(404)
    expect(await referrers()).toEqual([])
    expect((await registry.ask("GET", "/v2/app/manifests/signed")).status).toBe(404)
    expect((await registry.ask("GET", "/v2/app/manifests/1")).status).toBe(200)
  })

  test("a tag that keeps what it leads to is not set anew", async () => {
    await using registry = started({ prefix: "kept/" })
    const { store } = registry
    await pushed(registry, "app", "1")
    const kept = await store.manifest("app", { tag: "1" })
    await pushed(registry, "app", "2", { annotations: { other: "yes" } })
    const other = await store.manifest("app", { tag: "2" })
    if (kept === undefined || other === undefined) throw new Error("both were pushed")
    const needed = { blobs: [], children: [] }
    const put = (manifest: typeof kept, tag: string) =>
      store.putManifest("app", { ...manifest, needed, tag, keepsTag: true })
    await put(kept, "1")
    await expect(put(other, "1")).rejects.toMatchObject({ code: "AlreadyExists" })
    await put(other, "new")
    expect((await store.manifest("app", { tag: "1" }))?.descriptor.digest).toBe(kept.descriptor.digest)
    expect((await store.manifest("app", { tag: "new" }))?.descriptor.digest).toBe(other.descriptor.digest)
  })

  test("what is no manifest does not come into memory when it is asked for as one", async () => {
    await using registry = started({ prefix: "large/" })
    await pushed(registry, "app", "1")
    registry.bucket.whole.length = 0
    expect((await registry.ask("GET", `/v2/app/manifests/${EMPTY}`)).status).toBe(404)
    expect(registry.bucket.whole.filter((key) => key.startsWith("blobs/"))).toEqual([])
  })

  test("of those who end an upload of one blob, none takes it from the others", async () => {
    await using registry = started({ prefix: "same/" })
    const { store, spool } = registry
    for (let round = 0; round < 20; round++) {
      const ids = await Promise.all(["a", "b", "c"].map(async (name) => [name, (await store.startUpload(name)).id]))
      for (const [name = "", id = ""] of ids) await store.append(name, id, emptyObject())
      // one behind the other by a few turns each time
      await Promise.all(
        ids.map(async ([name = "", id = ""], at) => {
          await Bun.sleep((at * round) / 4)
          await store.finish(name, id, parseDigest(EMPTY))
        }),
      )
      expect(readdirSync(join(spool, "blobs/sha256"))).toEqual([])
    }
  })

  test("where the bucket is not, or does not answer, a client is told to come again", async () => {
    await using none = started({ name: "no-such-bucket" })
    await using nobody = started({ endpoint: "http://127.0.0.1:9" })
    for (const { ask } of [none, nobody]) expect((await ask("GET", "/v2/app/manifests/1")).status).toBe(503)
    await expect(none.store.manifest("app", { tag: "1" })).rejects.toMatchObject({
      message: expect.stringContaining('"no-such-bucket" at http://127.0.0.1:'),
    })
  })
})
