/** Whatever takes long can be cancelled: it ends at once, and what it leaves is nothing, or what the next call goes on from. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { existsSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openImageStore, type ImageStore } from "../../test/support/image-store.ts"
import { tar } from "../../test/support/tar.ts"
import type { Bytes } from "../base/bytes.ts"
import { digestHex } from "../spec/digest.ts"
import { digestOf } from "./documents.ts"

const skip = process.getuid?.() !== 0
if (skip) console.log("skipped: cancelling (not root)")

const NOTHING = { blobs: 0, snapshots: 0, ingests: 0, directories: 0 }
const CONTENT = Buffer.alloc(8 << 20, "x")

let store: ImageStore
let stop: AbortController
beforeEach(async () => {
  stop = new AbortController()
  if (!skip) store = await openImageStore()
})
afterEach(() => store?.[Symbol.asyncDispose]())

const layer = tar([
  { name: "a", content: CONTENT },
  { name: "b", content: CONTENT },
])

/** A megabyte at a time; the signal comes while the stream goes on. */
async function* endless(head: Uint8Array = layer): Bytes {
  for (let at = 0; ; at += 1 << 20) {
    if (at === 4 << 20) stop.abort(new Error("enough"))
    if (at > 64 << 20) throw new Error("nobody listens")
    yield head.subarray(at % head.length, (at % head.length) + (1 << 20))
  }
}

const config = { architecture: "amd64", os: "linux", created: "2026-01-01T00:00:00Z", config: {} }
const made = () => store.images.createFromTar(whole(), { name: "a:1", config })

async function* whole(): Bytes {
  yield layer
}

/** Takes a stream until it fails. */
async function take(bytes: Bytes): Promise<void> {
  let taken = 0
  for await (const chunk of bytes) if ((taken += chunk.length) > 2 << 20) stop.abort(new Error("enough"))
}

describe.skipIf(skip)("cancelled", () => {
  test("an import leaves nothing", async () => {
    const importing = store.images.import({ bytes: endless() }, { config: {}, signal: stop.signal })
    await expect(importing).rejects.toThrow()
    expect(stop.signal.aborted).toBe(true)
    expect(await store.left()).toEqual(NOTHING)
  })

  test("a load of a pipe leaves nothing", async () => {
    await expect(store.images.load({ bytes: endless() }, { signal: stop.signal })).rejects.toThrow("enough")
    expect(await store.left()).toEqual(NOTHING)
    expect(readdirSync(join(store.root, "ingest"))).toEqual([])
  })

  test("a load leaves nothing of the layers that had come", async () => {
    const text = JSON.stringify({ ...config, rootfs: { type: "layers", diff_ids: [digestOf(layer)] } })
    const name = `${digestHex(digestOf(Buffer.from(text)))}.json`
    const manifest = JSON.stringify([{ Config: name, RepoTags: ["a:1"], Layers: ["layer.tar"] }])
    const path = join(store.root, "archive.tar")
    writeFileSync(
      path,
      tar([
        { name: "layer.tar", content: layer },
        { name, content: text },
        { name: "manifest.json", content: manifest },
      ]),
    )
    const onProgress = () => stop.abort(new Error("enough"))
    await expect(store.images.load({ path }, { signal: stop.signal, onProgress })).rejects.toThrow()
    expect(store.images.list()).toEqual([])
    expect(await store.left()).toEqual(NOTHING)
    await store.images.load({ path })
    expect(store.images.list()).toHaveLength(1)
  })

  test("a save ends, and one into a directory leaves it empty", async () => {
    await made()
    for (const format of ["docker-archive", "oci-archive"] as const) {
      stop = new AbortController()
      await expect(take(store.images.save(["a:1"], format, { signal: stop.signal }))).rejects.toThrow("enough")
    }
    const path = join(store.root, "saved")
    await expect(store.images.saveDirectory(["a:1"], "oci-dir", path, { signal: stop.signal })).rejects.toThrow(
      "enough",
    )
    expect(!existsSync(path) || readdirSync(path).length === 0).toBe(true)
    await store.images.saveDirectory(["a:1"], "oci-dir", path)
    expect(readdirSync(path)).toContain("oci-layout")
  })

  test("a push ends while it compresses, and leaves nothing of that", async () => {
    await made()
    const before = await store.left()
    const onProgress = ({ stage }: { stage: string }) => {
      if (stage === "compressing") stop.abort(new Error("enough"))
    }
    const destination = "127.0.0.1:1/a:1"
    const pushing = store.images.push("a:1", { destination, onProgress, signal: stop.signal, retries: 0 })
    await expect(pushing).rejects.toThrow()
    expect(await store.left()).toEqual(before)
  })

  test("a removal takes the records; the files go with the next", async () => {
    await made()
    stop.abort(new Error("enough"))
    await expect(store.images.remove("a:1", { signal: stop.signal })).rejects.toThrow("enough")
    expect(store.images.list()).toEqual([])
    expect(await store.left()).toEqual(NOTHING)
  })
})
