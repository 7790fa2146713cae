import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { existsSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { openImageStore, type ImageStore } from "../../../test/support/image-store.ts"
import { tar, type TarEntry } from "../../../test/support/tar.ts"
import type { Bytes } from "../../base/bytes.ts"
import { chainIds } from "../../spec/chain-id.ts"
import { digestHex, type Digest, type DiffId } from "../../spec/digest.ts"
import { digestOf } from "../documents.ts"

// layers are extracted with their owners
const skip = process.getuid?.() !== 0
if (skip) console.log("skipped: loading of archives (not root)")

let store: ImageStore
beforeEach(async () => {
  if (!skip) store = await openImageStore()
})
afterEach(() => store?.[Symbol.asyncDispose]())

/** As `docker save` writes it: a config, layers, `manifest.json`. */
function dockerArchive(name: string, layers: readonly Uint8Array[], diffIds = layers.map(digestOf)): Uint8Array {
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: diffIds },
  })
  const id = digestHex(digestOf(Buffer.from(config)))
  const files = layers.map((content, index) => ({ name: `${index}.tar`, content }))
  const manifest = [{ Config: `${id}.json`, RepoTags: [name], Layers: files.map((file) => file.name) }]
  return tar([
    ...files,
    { name: `${id}.json`, content: config },
    { name: "manifest.json", content: JSON.stringify(manifest) },
  ])
}

async function load(archive: Uint8Array) {
  const path = join(store.root, "archive.tar")
  writeFileSync(path, archive)
  return await store.images.load({ path })
}

async function saved(format: "docker-archive" | "oci-archive"): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of store.images.save(["a:1"], format) as Bytes) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

const layerOf = (content: string, ...more: TarEntry[]) => tar([{ name: "f", content }, ...more])

describe.skipIf(skip)("an archive of Docker's form", () => {
  const layers = [layerOf("one".repeat(500_000)), layerOf("two"), layerOf("three")]

  test("has its plain layers on disk once, with its id, and gives them out as they were", async () => {
    const archive = dockerArchive("a:1", layers)
    const [loaded] = await load(archive)
    if (loaded === undefined) throw new Error("nothing was loaded")
    const { layers: kept } = await store.images.manifest(loaded.image)
    expect(kept.map(({ digest }) => digest)).toEqual(layers.map(digestOf))
    // manifest and config alone
    expect(await store.left()).toEqual({ blobs: 2, snapshots: 3, ingests: 0, directories: 3 })
    for (const format of ["docker-archive", "oci-archive"] as const) {
      const bytes = await saved(format)
      for (const layer of layers) expect(bytes.includes(layer)).toBe(true)
    }
    const again = await saved("docker-archive")
    expect(await load(again)).toMatchObject([{ image: { id: loaded.image.id } }])
    await store.images.remove("a:1")
    expect(await store.left()).toEqual({ blobs: 0, snapshots: 0, ingests: 0, directories: 0 })
    expect(await load(again)).toMatchObject([{ image: { id: loaded.image.id } }])
  })

  test("keeps as a blob what its files do not give again", async () => {
    const twice = layerOf("one", { name: "f", content: "two" })
    await load(dockerArchive("a:1", [layers[1] ?? twice, twice]))
    expect(await store.left()).toEqual({ blobs: 3, snapshots: 2, ingests: 0, directories: 2 })
    expect((await saved("docker-archive")).includes(twice)).toBe(true)
  })

  test("shares layers between its images, and with those that were pulled or loaded before", async () => {
    await load(dockerArchive("a:1", layers))
    await load(dockerArchive("b:1", [...layers.slice(0, 2), layerOf("other")]))
    expect(await store.left()).toEqual({ blobs: 4, snapshots: 4, ingests: 0, directories: 4 })
    await store.images.remove("b:1")
    expect((await saved("docker-archive")).includes(layers[0] ?? "")).toBe(true)
  })

  test("gives a layer the means to be given out again that it had not when it came", async () => {
    const [first] = await load(dockerArchive("a:1", layers.slice(0, 1)))
    const [chainId] = chainIds([digestOf(layers[0] ?? Buffer.alloc(0)) as DiffId])
    expect(first?.image.topLayer).toBe(chainId as never)
    const [directory = ""] = readdirSync(join(store.root, "layers"))
    const tarSplit = join(store.root, "layers", directory, "tar-split")
    expect(existsSync(tarSplit)).toBe(true)
    // as a store of an earlier version has it
    store.forgetTarSplits()
    await load(dockerArchive("b:1", layers.slice(0, 2)))
    expect(existsSync(tarSplit)).toBe(true)
    expect((await saved("docker-archive")).includes(layers[0] ?? "")).toBe(true)
  })

  test("may have compressed layers, which stay as they are", async () => {
    const plain = layerOf("x")
    const packed = gzipSync(plain)
    await load(dockerArchive("a:1", [packed], [digestOf(plain)]))
    expect(await store.left()).toEqual({ blobs: 3, snapshots: 1, ingests: 0, directories: 1 })
    expect((await saved("oci-archive")).includes(packed)).toBe(true)
    expect((await saved("docker-archive")).includes(plain)).toBe(true)
  })

  test.each<[string, () => Uint8Array]>([
    [
      "with another layer than its config says",
      () => dockerArchive("a:1", layers, [digestOf(layerOf("evil")), ...layers.slice(1).map(digestOf)]),
    ],
    [
      "with a layer that is cut",
      () => dockerArchive("a:1", [layers[1] ?? Buffer.alloc(0), (layers[0] ?? Buffer.alloc(0)).subarray(0, 100_000)]),
    ],
  ])("%s is refused, and nothing stays", async (_, archive) => {
    await expect(load(archive())).rejects.toMatchObject({ code: "DataLoss" })
    expect(store.images.list()).toEqual([])
    expect(await store.left()).toEqual({ blobs: 0, snapshots: 0, ingests: 0, directories: 0 })
  })

  test("whose layer's files were changed in the store is not saved as if nothing were", async () => {
    const [loaded] = await load(dockerArchive("a:1", layers.slice(1, 2)))
    const [directory = ""] = readdirSync(join(store.root, "layers"))
    writeFileSync(join(store.root, "layers", directory, "diff/f"), "own")
    await expect(saved("docker-archive")).rejects.toMatchObject({ code: "DataLoss" })
    expect(loaded?.image.id as Digest).toBeDefined()
  })
})
