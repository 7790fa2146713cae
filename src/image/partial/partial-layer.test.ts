import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { CountingProxy } from "../../../test/support/counting-proxy.ts"
import { openImageStore, type ImageStore } from "../../../test/support/image-store.ts"
import { ownSettings } from "../../../test/support/own-settings.ts"
import { Registry } from "../../../test/support/registry.ts"
import { tar, type TarEntry } from "../../../test/support/tar.ts"
import type { LayerForm } from "../image.ts"

const hasRegistry = ["docker-registry", "skopeo"].every((program) => spawnSync("which", [program]).status === 0)
const skip = process.getuid?.() !== 0 || !hasRegistry
if (skip) console.log("skipped: pulling parts of layers (not root, or no docker-registry and skopeo)")

ownSettings()

const shared: TarEntry[] = Array.from({ length: 40 }, (_, index) => ({
  name: `lib/shared-${index}.so`,
  content: randomBytes(60_000 + index * 1000),
  mtime: 1_700_000_000,
}))
const small: TarEntry[] = Array.from({ length: 200 }, (_, index) => ({
  name: `etc/small-${index}.conf`,
  content: `option ${index} = ${"x".repeat(index)}\n`,
}))
const at = (entries: readonly TarEntry[], n: number): TarEntry[] =>
  entries.map((entry) => Object.assign({}, entry, { mtime: 1_700_000_000 + n }))
/** Two versions of one layer: all times differ, one file does. */
const version = (n: number): TarEntry[] => [
  { name: "lib/", type: "directory" },
  ...at(shared, n),
  { name: "etc/", type: "directory" },
  ...at(small, n),
  { name: "bin/app", content: Buffer.concat([Buffer.from(`version ${n}`), randomBytes(50_000)]), mode: 0o755 },
  { name: "bin/link", type: "symlink", linkName: "app" },
  { name: "bin/hard", type: "hardlink", linkName: "bin/app" },
]

describe.skipIf(skip)("a layer with a table of contents", () => {
  let registry: Registry
  let counter: CountingProxy
  let host: string
  let maker: ImageStore
  let store: ImageStore
  beforeAll(async () => {
    registry = await Registry.start()
    counter = new CountingProxy(registry.host)
    host = await counter.start()
    maker = await openImageStore()
  })
  afterAll(async () => {
    counter?.stop()
    registry?.stop()
    await maker?.[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    store = await openImageStore()
    Object.assign(counter, { bytes: 0, requests: 0, withoutRanges: false })
  })
  afterEach(async () => {
    await store?.[Symbol.asyncDispose]()
  })

  /** Pushes an image of one layer; gives its size there. */
  async function push(name: string, entries: TarEntry[], form: LayerForm): Promise<number> {
    async function* bytes() {
      yield tar(entries)
    }
    const config = { architecture: "amd64", os: "linux", created: "2026-01-01T00:00:00Z", config: {} }
    await maker.images.createFromTar(bytes(), { config, createdBy: "test", name: `${registry.host}/${name}` })
    await maker.images.push(`${registry.host}/${name}`, { form: { ...form, every: true } })
    const args = ["inspect", "--tls-verify=false", "--raw", `docker://${registry.host}/${name}`]
    const manifest = JSON.parse(spawnSync("skopeo", args).stdout.toString()) as { layers: { size: number }[] }
    return manifest.layers[0]?.size ?? 0
  }

  async function pull(name: string) {
    Object.assign(counter, { bytes: 0, requests: 0 })
    const stages: string[] = []
    const { image } = await store.images.pull(`${host}/${name}`, {
      platform: { os: "linux", architecture: "amd64" },
      onProgress: ({ stage }) => void stages.push(stage),
    })
    return { image, stages, bytes: counter.bytes, requests: counter.requests }
  }

  const fileOf = async (id: string, path: string) => {
    const { storage } = await store.images.inspect(id)
    return readFileSync(join(storage.layerDirectories[0] ?? "", path), "latin1")
  }

  for (const form of ["zstd:chunked", "estargz"] as const)
    test(`costs the difference to what is here: ${form}`, async () => {
      await push(`${form.replace(":", "")}/app:1`, version(1), { compression: form })
      const size = await push(`${form.replace(":", "")}/app:2`, version(2), { compression: form })
      const first = await pull(`${form.replace(":", "")}/app:1`)
      expect(first.stages).not.toContain("added-partly")
      const second = await pull(`${form.replace(":", "")}/app:2`)
      expect(second.stages).toContain("added-partly")
      // one file of 50 kB of 3.2 MB, the table, and of an eStargz the headers
      expect(second.bytes).toBeLessThan(size * (form === "estargz" ? 0.12 : 0.05))
      expect(second.requests).toBeLessThan(70)
      expect(await fileOf(second.image.id, "bin/app")).toStartWith("version 2")
      expect(await fileOf(second.image.id, "lib/shared-7.so")).toBe(await fileOf(first.image.id, "lib/shared-7.so"))
      // again there is nothing to do
      const again = await pull(`${form.replace(":", "")}/app:2`)
      expect([again.bytes, again.stages.includes("added-partly")]).toEqual([0, false])
    })

  for (const form of ["zstd:chunked", "estargz"] as const)
    test(`is told by its table without its bytes: ${form}`, async () => {
      const name = `table${form.replace(":", "")}/app:1`
      const size = await push(name, version(1), { compression: form })
      // what was asked without ranges in the test before may still have come
      counter.bytes = 0
      await using opened = await store.images.openAt(`docker://${host}/${name}`, {
        platform: { os: "linux", architecture: "amd64" },
      })
      const files = (await opened.table(0))?.filter(({ entry }) => entry.name !== ".no.prefetch.landmark")
      expect(files?.map(({ entry: { type, name: path, linkName } }) => `${type} ${path} ${linkName}`)).toEqual(
        version(1).map((each) => `${each.type ?? "file"} ${each.name} ${each.linkName ?? ""}`),
      )
      expect(files?.find(({ entry }) => entry.name === "bin/app")?.entry).toMatchObject({
        mode: 0o755,
        isSparse: false,
      })
      expect(counter.bytes).toBeLessThan(size * 0.1)
      counter.withoutRanges = true
      expect(await opened.table(0)).toBeUndefined()
    })

  test("is taken from any layer that is here, whatever its form", async () => {
    await push("any/plain:1", version(3), { compression: "gzip" })
    const size = await push("any/app:2", version(4), { compression: "zstd:chunked" })
    await pull("any/plain:1")
    const { bytes, stages } = await pull("any/app:2")
    expect(stages).toContain("added-partly")
    expect(bytes).toBeLessThan(size * 0.1)
  })

  test("comes whole where the registry has no ranges, or where nothing of it is here", async () => {
    const size = await push("whole/app:1", version(5), { compression: "zstd:chunked" })
    const second = await push("whole/app:2", version(6), { compression: "zstd:chunked" })
    const first = await pull("whole/app:1")
    expect(first.stages).toContain("added")
    expect(first.bytes).toBeLessThan(size * 1.1)
    counter.withoutRanges = true
    const { bytes, stages } = await pull("whole/app:2")
    expect(stages).toContain("added")
    expect(bytes).toBeGreaterThanOrEqual(second)
  })

  test("that came in parts goes out again: the registry has its blob, and elsewhere it is made anew", async () => {
    await push("out/app:1", version(7), { compression: "zstd:chunked" })
    await push("out/app:2", version(8), { compression: "zstd:chunked" })
    await pull("out/app:1")
    const { image } = await pull("out/app:2")
    const { digest } = await store.images.push(`${host}/out/app:2`)
    expect(digest).toBe(image.manifest.digest)
    // mounted from the repository that it came from
    const mounted = await store.images.push(`${host}/out/app:2`, { destination: `${host}/out/other:2` })
    expect(mounted.digest).toBe(image.manifest.digest)

    const elsewhere = await Registry.start()
    try {
      const sent = await store.images.push(`${host}/out/app:2`, { destination: `${elsewhere.host}/out/app:2` })
      // what made it once makes the same of it again
      expect(sent.digest).toBe(image.manifest.digest)
      const other = await openImageStore()
      try {
        const platform = { os: "linux", architecture: "amd64" }
        expect((await other.images.pull(`${elsewhere.host}/out/app:2`, { platform })).image.id).toBe(image.id)
      } finally {
        await other[Symbol.asyncDispose]()
      }
    } finally {
      elsewhere.stop()
    }
    for (const format of ["docker-archive", "oci-archive"] as const) {
      const other = await openImageStore()
      try {
        const bytes = store.images.save([`${host}/out/app:2`], format)
        const [loaded] = await other.images.load({ bytes }, { platform: { os: "linux", architecture: "amd64" } })
        expect(loaded?.image.id).toBe(image.id)
      } finally {
        await other[Symbol.asyncDispose]()
      }
    }
  })

  test("whose file here was changed is fetched whole: the archive is checked, not the table believed", async () => {
    await push("changed/app:1", version(9), { compression: "zstd:chunked" })
    await push("changed/app:2", version(10), { compression: "zstd:chunked" })
    const first = await pull("changed/app:1")
    const { storage } = await store.images.inspect(first.image.id)
    const path = join(storage.layerDirectories[0] ?? "", "lib/shared-3.so")
    spawnSync("sh", ["-c", 'printf evil | dd of="$0" conv=notrunc', path])
    const { image, stages } = await pull("changed/app:2")
    expect(stages).toContain("added-partly")
    expect(await fileOf(image.id, "lib/shared-3.so")).not.toStartWith("evil")
  })
})
