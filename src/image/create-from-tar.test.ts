import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { openImageStore, type ImageStore } from "../../test/support/image-store.ts"
import { tar, type TarEntry } from "../../test/support/tar.ts"
import type { Bytes } from "../content/content.ts"
import { digestOf } from "./documents.ts"
import type { CreateImageOptions } from "./image.ts"

// layers are extracted with their owners
const skip = process.getuid?.() !== 0
if (skip) console.log("skipped: images from a tar (not root)")

let store: ImageStore
beforeEach(async () => {
  if (!skip) store = await openImageStore()
})
afterEach(() => store?.[Symbol.asyncDispose]())

const options: CreateImageOptions = {
  name: "base:1",
  config: { architecture: "amd64", os: "linux", created: "2024-05-06T00:00:00Z", config: { Cmd: ["sh"] } },
  createdBy: "bootstrap",
}

/** In pieces that fit no block. */
async function* archive(entries: readonly TarEntry[]): Bytes {
  const bytes = tar(entries)
  for (let at = 0; at < bytes.length; at += 777) yield bytes.subarray(at, at + 777)
}

/** Chunks are the reader's until the next alone. */
async function copied(bytes: Bytes): Promise<Buffer[]> {
  const chunks: Buffer[] = []
  for await (const chunk of bytes) chunks.push(Buffer.from(chunk))
  return chunks
}

describe.skipIf(skip)("an image of a tar", () => {
  test("has one layer on disk, which gives the very tar again, one line of history, and its name", async () => {
    const image = await store.images.createFromTar(archive([{ name: "etc/x", content: "hello" }]), options)
    expect(image).toMatchObject({ tags: ["docker.io/library/base:1"], sizeBytes: 5 })
    expect(store.images.get("base:1").id).toBe(image.id)
    expect(await store.images.history("base:1")).toMatchObject([{ id: image.id, createdBy: "bootstrap", sizeBytes: 5 }])
    const [directory = ""] = (await store.images.inspect("base:1")).storage.layerDirectories
    expect(readFileSync(join(directory, "etc/x"), "utf8")).toBe("hello")
    const [layer] = (await store.images.manifest(image)).layers
    if (layer === undefined) throw new Error("no layer")
    expect(layer.digest).toBe(digestOf(tar([{ name: "etc/x", content: "hello" }])))
    const saved = Buffer.concat(await copied(store.images.save(["base:1"], "oci-archive")))
    expect(saved.includes(tar([{ name: "etc/x", content: "hello" }]))).toBe(true)
    // manifest and config
    expect(await store.left()).toEqual({ blobs: 2, snapshots: 1, ingests: 0, directories: 1 })
  })

  test("made twice is one image; a second name for it and its removal count as any other's", async () => {
    const entries = [{ name: "a", content: "b" }]
    const first = await store.images.createFromTar(archive(entries), options)
    const second = await store.images.createFromTar(archive(entries), { ...options, name: "base:2" })
    expect(second.id).toBe(first.id)
    store.images.tag("base:2", "quay.io/own/base")
    expect(store.images.get("quay.io/own/base").tags).toHaveLength(3)
    expect(() => store.images.tag("base:2", `x@sha256:${"a".repeat(64)}`)).toThrow(/refusing/)
    expect(() => store.images.tag("none", "x")).toThrow(expect.objectContaining({ code: "NotFound" }))
    expect((await store.images.remove(first.id, { force: true })).untagged).toHaveLength(3)
    expect(await store.left()).toEqual({ blobs: 0, snapshots: 0, ingests: 0, directories: 0 })
  })

  test("that has a file twice is a layer of what came out of it", async () => {
    const twice = [
      { name: "a", content: "first" },
      { name: "a", content: "second" },
    ]
    const image = await store.images.createFromTar(archive(twice), options)
    const [layer] = (await store.images.manifest(image)).layers
    expect(layer?.digest).not.toBe(digestOf(tar(twice)))
    const saved = Buffer.concat(await copied(store.images.save(["base:1"], "oci-archive"))).toString("latin1")
    expect(saved).toContain("second")
    expect(saved).not.toContain("first")
    expect(await store.left()).toEqual({ blobs: 2, snapshots: 1, ingests: 0, directories: 1 })
  })

  test.each<[string, () => Bytes]>([
    ["that climbs out", () => archive([{ name: "good", content: "x".repeat(100_000) }, { name: "../../evil" }])],
    ["that ends too early", () => archive([{ name: "a", content: "x", claimedSize: 1 << 20 }])],
    [
      "that fails half way",
      async function* () {
        yield tar([{ name: "a", content: "x" }]).subarray(0, 700)
        throw new Error("the source broke")
      },
    ],
  ])("%s is refused, and nothing stays", async (_, source) => {
    await expect(store.images.createFromTar(source(), options)).rejects.toThrow()
    expect(store.images.list()).toEqual([])
    expect(await store.left()).toEqual({ blobs: 0, snapshots: 0, ingests: 0, directories: 0 })
    expect(existsSync(join(store.root, "evil"))).toBe(false)
  })

  test("without a name is dangling, and pruned; one with a name stays unless all are", async () => {
    await store.images.createFromTar(archive([{ name: "a", content: "1" }]), { ...options, name: undefined })
    await store.images.createFromTar(archive([{ name: "b", content: "2" }]), options)
    const pruned = await store.images.prune()
    expect(pruned.deleted).toHaveLength(2)
    expect(pruned.reclaimedBytes).toBeGreaterThan(0)
    expect(store.images.list()).toHaveLength(1)
    expect((await store.images.prune({ all: true })).untagged).toEqual(["base:1"])
    expect(await store.left()).toEqual({ blobs: 0, snapshots: 0, ingests: 0, directories: 0 })
  })
})
