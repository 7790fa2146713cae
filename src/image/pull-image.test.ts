import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test"
import { spawn, spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { buildImage, json, MANIFEST_TYPE, type BuiltImage, type ImageSpec } from "../../test/support/image.ts"
import { blobPath, HostileRegistry } from "../../test/support/hostile-registry.ts"
import { openImageStore, type ImageStore } from "../../test/support/image-store.ts"
import { ownSettings } from "../../test/support/own-settings.ts"
import { Registry } from "../../test/support/registry.ts"
import type { ProgressEvent } from "../base/progress.ts"

// layers are extracted with their owners
const skip = process.getuid?.() === 0 ? false : "not root"
if (skip) console.log(`skipped: pulling (${skip})`)

/** Bytes that no compressor makes small. */
function noise(size: number): Uint8Array {
  const bytes = Buffer.alloc(size)
  for (let at = 0; at < size; at += 32_768) crypto.getRandomValues(bytes.subarray(at, Math.min(size, at + 32_768)))
  return bytes
}

const layer = (name: string, content: string | Uint8Array = name) => ({ entries: [{ name, content }] })
const small: ImageSpec = { layers: [layer("a"), layer("b")], config: { Labels: { who: "me" } } }
const failure = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) })

const home = ownSettings()
let store: ImageStore
beforeEach(async () => {
  if (!skip) store = await openImageStore()
})
afterEach(async () => {
  await store?.[Symbol.asyncDispose]()
})

const hasRegistry = ["docker-registry", "skopeo"].every((program) => spawnSync("which", [program]).status === 0)
if (!hasRegistry) console.log("skipped: what needs Debian's docker-registry and skopeo")

describe.skipIf(!hasRegistry || Boolean(skip))("from a real registry", () => {
  let registry: Registry
  beforeAll(async () => {
    registry = await Registry.start()
  })
  afterAll(() => registry.stop())

  test("an image comes in with its names, size, labels and history, and goes without a rest", async () => {
    const { reference, descriptor } = registry.pushBuilt("team/app:1", buildImage(small))
    const { image, name, digest, changed } = await store.images.pull(reference)
    expect({ name, digest, changed }).toEqual({ name: reference, digest: descriptor.digest as never, changed: true })
    expect(image.repoDigests).toEqual([`${registry.host}/team/app@${descriptor.digest}`])
    expect(image.sizeBytes).toBe(2)
    expect(store.images.list({ label: ["who=me"] })).toHaveLength(1)
    expect((await store.images.config(image)).rootfs.diff_ids).toHaveLength(2)
    expect((await store.images.manifest(image)).layers).toHaveLength(2)
    expect((await store.images.history(reference)).map(({ id, createdBy }) => [id, createdBy])).toEqual([
      [image.id, "layer 1"],
      ["<missing>", "layer 0"],
    ])
    expect(await store.images.inspect(reference)).toMatchObject({
      image: { id: image.id, tags: [reference] },
      config: { config: { Labels: { who: "me" } } },
      storage: { layerDirectories: expect.arrayContaining([expect.stringContaining("layers/")]) },
    })
    expect(await store.left()).toEqual({ blobs: 4, snapshots: 2, ingests: 0, directories: 2 })

    expect((await store.images.pull(reference)).changed).toBe(false)
    const removed = await store.images.remove(reference)
    expect(removed.untagged).toEqual([reference, `${registry.host}/team/app@${descriptor.digest}`])
    expect(removed.deleted).toHaveLength(3)
    expect(await store.left()).toEqual({ blobs: 0, snapshots: 0, ingests: 0, directories: 0 })
  })

  test("layers that another image shares stay when one of the two goes, and are not fetched again", async () => {
    const first = registry.push("share/one:1", { layers: [layer("base")] })
    const second = registry.push("share/two:1", { layers: [layer("base"), layer("own")] })
    await store.images.pull(first)
    const events: ProgressEvent[] = []
    await store.images.pull(second, { onProgress: (event) => events.push(event) })
    expect(events.filter(({ stage }) => stage === "exists")).toHaveLength(1)
    expect(events.filter(({ stage }) => stage === "added")).toHaveLength(1)
    expect((await store.images.remove(first)).deleted).toHaveLength(1)
    expect(await store.left()).toMatchObject({ snapshots: 2, blobs: 4 })
  })

  test("by digest it has a digest and no tag; an index is chosen from and kept", async () => {
    const specs: ImageSpec[] = [small, { ...small, architecture: "s390x" }]
    const { reference, descriptor } = registry.pushBuilt("many/app:1", ...specs.map(buildImage))
    const name = `${reference}@${descriptor.digest}`
    const { image, digest } = await store.images.pull(name)
    expect(image.tags).toEqual([])
    expect(digest as string).toBe(descriptor.digest)
    expect(store.images.get(name).id).toBe(image.id)
    const other = await store.images.pull(name, { platform: { os: "linux", architecture: "s390x" } })
    expect(other.image.platform.architecture).toBe("s390x")
    await expect(store.images.pull(name, { platform: { os: "linux", architecture: "riscv64" } })).rejects.toThrow(
      expect.objectContaining({ code: "NotFound", hint: expect.stringMatching(/s390x/) }),
    )
  })

  test("a short name goes where registries.conf says, is recorded whole and found again by the short one", async () => {
    registry.push("team/tool:1", small)
    const other = "127.0.0.1:1"
    writeFileSync(join(home, "registries.conf"), `unqualified-search-registries = ["${other}", "${registry.host}"]\n`)
    const { name, image } = await store.images.pull("team/tool:1")
    expect(name).toBe(`${registry.host}/team/tool:1`)
    expect(store.images.get("team/tool:1").id).toBe(image.id)
    await expect(store.images.pull("team/none:1")).rejects.toThrow(
      failure("Unavailable", new RegExp(`${other}.*connection refused.*answered 404`)),
    )
  })

  test("that is missing here, and whose registry does not answer, says both, what is near, and what to do", async () => {
    const name = registry.push("near/app:1", small)
    await store.images.pull(name)
    const pulling = store.images.pull("127.0.0.1:1/near/app:2", { isMissing: true, retries: 0 })
    await expect(pulling).rejects.toThrow(
      failure(
        "Unavailable",
        /^image "127\.0\.0\.1:1\/near\/app:2" was not found locally, and 127\.0\.0\.1:1 cannot be reached: /,
      ),
    )
    store.images.tag(name, "debian:12-slim")
    const elsewhere = `[[registry]]\nprefix = "docker.io"\nlocation = "127.0.0.1:1"\n`
    writeFileSync(join(home, "registries.conf"), elsewhere)
    await expect(store.images.pull("debian:12", { isMissing: true, retries: 0 })).rejects.toMatchObject({
      code: "Unavailable",
      hint: [{ nearest: "debian:12-slim" }, { do: "bootstrap", base: "debian:12" }, { do: "loadImage" }],
    })
  })

  test("three pulls of one image at once, and one of a crossing one, all succeed", async () => {
    const shared = layer("shared", noise(3_000_000))
    const one = registry.push("cross/one:1", { layers: [shared, layer("b", noise(1_000_000))] })
    const two = registry.push("cross/two:1", { layers: [layer("c"), shared] })
    const results = await Promise.all([one, one, one, two].map((name) => store.images.pull(name)))
    expect(new Set(results.map(({ image }) => image.id)).size).toBe(2)
    expect(await store.left()).toEqual({ blobs: 7, snapshots: 4, ingests: 0, directories: 4 })
  })
})

const first = (image: BuiltImage) => {
  const [descriptor] = image.layers
  if (!descriptor) throw new Error("an image without layers")
  return { descriptor, path: blobPath(descriptor), bytes: image.blobs.get(descriptor.digest) ?? new Uint8Array() }
}

describe.skipIf(Boolean(skip))("from a hostile registry", () => {
  let registry: HostileRegistry
  beforeEach(async () => {
    registry = await HostileRegistry.start()
  })
  afterEach(() => registry[Symbol.asyncDispose]())

  const nothing = { blobs: 0, snapshots: 0, ingests: 0, directories: 0 }

  test("a layer with other bytes of the same size is refused by its digest, and nothing stays", async () => {
    const image = buildImage({ layers: [layer("a", noise(50_000))] })
    const name = registry.image(image)
    const { path, bytes } = first(image)
    const wrong = Buffer.from(bytes)
    wrong[wrong.length >> 1] = ~(wrong[wrong.length >> 1] ?? 0)
    registry.bytes(path, wrong)
    await expect(store.images.pull(name)).rejects.toThrow(failure("DataLoss", /have? digest|has digest/))
    expect(await store.left()).toEqual(nothing)
  })

  test("a layer that unpacks to another diff id is refused", async () => {
    const image = buildImage(small)
    const other = buildImage({ layers: [layer("x"), layer("y")] })
    const [config, ...layers] = [image.config, ...other.layers]
    for (const [digest, bytes] of other.blobs) registry.bytes(`/v2/hostile/image/blobs/${digest}`, bytes)
    const bytes = json({ schemaVersion: 2, mediaType: MANIFEST_TYPE, config, layers })
    await expect(store.images.pull(registry.image(image, { bytes }))).rejects.toThrow(
      failure("DataLoss", /unpacks to sha256/),
    )
    expect(await store.left()).toEqual(nothing)
  })

  test("a layer that climbs out is refused, and what it began is removed", async () => {
    const image = buildImage({ layers: [layer("good"), { entries: [{ name: "../../evil", content: "x" }] }] })
    await expect(store.images.pull(registry.image(image))).rejects.toThrow(failure("InvalidArgument", /evil/))
    expect(await store.left()).toEqual(nothing)
    expect(existsSync(join(store.root, "evil")) || existsSync(join(store.root, "layers/evil"))).toBe(false)
  })

  test("a download that is cut goes on by range, again and again", async () => {
    const image = buildImage({ layers: [layer("a", noise(400_000))] })
    const name = registry.image(image)
    const { path, bytes } = first(image)
    const starts: number[] = []
    registry.answer(path, (request, response) => {
      const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0)
      starts.push(start)
      const headers = start > 0 ? { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}
      response.writeHead(start > 0 ? 206 : 200, { ...headers, "content-length": bytes.length - start })
      response.write(bytes.subarray(start, start + 150_000))
      if (start + 150_000 >= bytes.length) response.end()
      else setTimeout(() => response.destroy(), 20)
    })
    await store.images.pull(name)
    expect(starts.length).toBeGreaterThan(2)
    expect(starts).toEqual(starts.toSorted((a, b) => a - b))
  }, 20_000)

  /** A pull that was ended when half of the layer had come. */
  async function pulledHalf(): Promise<{ name: string; path: string; bytes: Uint8Array }> {
    const image = buildImage({ layers: [layer("a", noise(400_000))] })
    const name = registry.image(image)
    const { path, bytes } = first(image)
    const stop = new AbortController()
    registry.answer(path, (_, response) => {
      response.writeHead(200, { "content-length": bytes.length }).write(bytes.subarray(0, 200_000))
      setTimeout(() => stop.abort(), 300)
    })
    await expect(store.images.pull(name, { signal: stop.signal })).rejects.toThrow(failure("Cancelled", /./))
    return { name, path, bytes }
  }

  test("a pull that failed half way goes on where it stood, also from a registry that knows no ranges", async () => {
    const { name, path, bytes } = await pulledHalf()
    expect(await store.left()).toEqual({ ...nothing, ingests: 1 })
    let range: string | undefined
    registry.answer(path, (request, response) => {
      range = request.headers.range
      response.writeHead(200, { "content-length": bytes.length }).end(bytes)
    })
    await store.images.pull(name)
    expect(range).toMatch(/^bytes=[1-9]\d*-$/)
    expect(await store.left()).toMatchObject({ ingests: 0, snapshots: 1 })
  })

  test("a damaged beginning, left by a crash, is fetched again from the start", async () => {
    const { name, path, bytes } = await pulledHalf()
    const [leased = ""] = readdirSync(join(store.root, "ingest"))
    const file = join(store.root, "ingest", leased)
    writeFileSync(file, Buffer.alloc(readFileSync(file).length, 7))
    registry.bytes(path, bytes)
    await store.images.pull(name)
    expect(await store.left()).toMatchObject({ ingests: 0, snapshots: 1 })
  })

  test("a layer that fails stops the others, and the pull says which failure was the first", async () => {
    const image = buildImage({ layers: [layer("slow"), layer("bad")] })
    const name = registry.image(image)
    const [slow, bad] = image.layers
    if (!slow || !bad) throw new Error("two layers")
    registry.answer(blobPath(slow), (_, response) => void response.writeHead(200).flushHeaders())
    registry.answer(blobPath(bad), (_, response) => void response.writeHead(403).end("go away"))
    await expect(store.images.pull(name)).rejects.toThrow(failure("PermissionDenied", /answered 403 go away/))
    expect(await store.left()).toEqual(nothing)
  })

  test("a layer of an unknown kind, an artifact and another system's image are unsupported", async () => {
    const image = buildImage(small)
    const [one, two] = image.layers
    const manifest = (changes: object) => ({
      bytes: json({
        schemaVersion: 2,
        mediaType: MANIFEST_TYPE,
        config: image.config,
        layers: image.layers,
        ...changes,
      }),
    })
    const encrypted = manifest({ layers: [{ ...one, mediaType: `${one?.mediaType}+encrypted` }, two] })
    const chart = manifest({ config: { ...image.config, mediaType: "application/vnd.cncf.helm.config.v1+json" } })
    for (const each of [encrypted, chart])
      await expect(store.images.pull(registry.image(image, each))).rejects.toThrow(failure("Unsupported", /./))
  })
})

describe.skipIf(Boolean(skip))("killed", () => {
  const points = ["manifest-fetched", "layer-half", "layer-blob-committed", "layer-extracted", "layers-joined"]
  const support = join(import.meta.dir, "../../test/support/image-store.ts")
  const pullOnce = `const { openImageStore } = await import(${JSON.stringify(support)})
    const [root, name] = process.argv.slice(1)
    await (await openImageStore(root)).images.pull(name)`

  test.each([...points, "before-record", "recorded"])(
    "at %s, the next pull completes and nothing unknown stays",
    async (point) => {
      await using registry = await HostileRegistry.start()
      const name = registry.image(buildImage({ layers: [layer("a", noise(300_000)), layer("b")] }))
      const env = { ...process.env, SKIFF_CRASH_AT: `pull:${point}` }
      const child = spawn(process.execPath, ["-e", pullOnce, store.root, name], { env, stdio: "inherit" })
      expect(await new Promise((resolve) => child.on("exit", (_, signal) => resolve(signal)))).toBe("SIGKILL")
      expect(store.images.list()).toHaveLength(point === "recorded" ? 1 : 0)
      await store.images.pull(name)
      expect(await store.left()).toEqual({ blobs: 4, snapshots: 2, ingests: 0, directories: 2 })
    },
  )
})
