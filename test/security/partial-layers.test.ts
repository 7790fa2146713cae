/**
 * Tables of contents that lie, and layers that are no more than their tables. What comes in is what the image's config names, or nothing; and a
 * table costs little memory whatever it says.
 *
 * One user is enough.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import { spawnSync } from "node:child_process"
import { zstdCompressSync, zstdDecompressSync } from "node:zlib"
import { chunkLayer } from "../../src/archive/archive.ts"
import { Canary } from "../support/canary.ts"
import { HostileRegistry } from "../support/hostile-registry.ts"
import { buildImage, CONFIG_TYPE, hostArchitecture, json, MANIFEST_TYPE } from "../support/image.ts"
import { openStore } from "../support/store.ts"
import { tar, type TarEntry } from "../support/tar.ts"

const skiff = openStore()
const canary = new Canary()
let registry: HostileRegistry
beforeAll(async () => {
  registry = await HostileRegistry.start()
})
afterAll(async () => {
  canary.remove()
  await registry[Symbol.asyncDispose]()
})

const MIB = 2 ** 20
const ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
const PREFIX = "io.github.containers.zstd-chunked"
const digestOf = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`

/** So that a part of a layer is worth to be fetched. */
const random = (seed: number, bytes: number) =>
  Buffer.concat(
    Array.from({ length: Math.ceil(bytes / 32) }, (_, index) =>
      createHash("sha256").update(`${seed} ${index}`).digest(),
    ),
  ).subarray(0, bytes)
const shared: TarEntry[] = Array.from({ length: 20 }, (_, index) => ({
  name: `lib/${index}`,
  content: random(index, 40_000),
}))
/** What is here, and what the hostile layer says that it changes. */
const base = [...shared, { name: "tool", content: "#!/bin/sh\necho good\n", mode: 0o755 }]
const next = [...shared, { name: "tool", content: "#!/bin/sh\necho newer\n", mode: 0o755 }]

interface Toc {
  version: number
  entries: Record<string, unknown>[]
  tarSplitDigest: string
}

/** A layer of `next` with a table, taken apart. */
interface Layer {
  data: Buffer
  toc: Toc
  /** Lines, uncompressed. */
  split: Buffer
}

async function* once(bytes: Uint8Array) {
  yield bytes
}

async function layerOf(entries: TarEntry[]): Promise<Layer> {
  let annotations: Record<string, string> = {}
  const chunks: Uint8Array[] = []
  for await (const chunk of chunkLayer(once(tar(entries)), "zstd:chunked", {
    onEnd: (made) => ({ annotations } = made),
  }))
    chunks.push(chunk)
  const blob = Buffer.concat(chunks)
  const [tocAt = 0, tocBytes = 0] = (annotations[`${PREFIX}.manifest-position`] ?? "").split(":").map(Number)
  const [splitAt = 0, splitBytes = 0] = (annotations[`${PREFIX}.tarsplit-position`] ?? "").split(":").map(Number)
  return {
    data: blob.subarray(0, tocAt - 8),
    toc: JSON.parse(zstdDecompressSync(blob.subarray(tocAt, tocAt + tocBytes)).toString()) as Toc,
    split: zstdDecompressSync(blob.subarray(splitAt, splitAt + splitBytes)),
  }
}

/** What is said of the layer besides. */
interface Lies {
  /** In the place of the table's JSON. */
  tocBytes?: Uint8Array
  annotations?: Record<string, string>
}

const frame = (data: Uint8Array): Buffer => {
  const head = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0])
  head.writeUInt32LE(data.length, 4)
  return Buffer.concat([head, data])
}

/** Puts a layer together again, all digests right that are not lied about; gives the image's name. */
function serve(name: string, { data, toc, split }: Layer, { tocBytes, annotations = {} }: Lies = {}): string {
  const splitBytes = zstdCompressSync(split)
  const text = tocBytes ?? json({ ...toc, tarSplitDigest: digestOf(splitBytes) })
  const packed = zstdCompressSync(text)
  const tocAt = data.length + 8
  const splitAt = tocAt + packed.length + 8
  const blob = Buffer.concat([data, frame(packed), frame(splitBytes)])
  const layer = {
    mediaType: ZSTD,
    digest: digestOf(blob),
    size: blob.length,
    annotations: {
      [`${PREFIX}.manifest-checksum`]: digestOf(packed),
      [`${PREFIX}.manifest-position`]: `${tocAt}:${packed.length}:${text.length}:1`,
      [`${PREFIX}.tarsplit-position`]: `${splitAt}:${splitBytes.length}:${split.length}`,
      ...annotations,
    },
  }
  const rootfs = { type: "layers", diff_ids: [digestOf(tar(next))] }
  const config = json({ architecture: hostArchitecture(), os: "linux", config: {}, rootfs })
  const configDescriptor = { mediaType: CONFIG_TYPE, digest: digestOf(config), size: config.length }
  const manifest = json({ schemaVersion: 2, mediaType: MANIFEST_TYPE, config: configDescriptor, layers: [layer] })
  const path = `/v2/hostile/${name}`
  serveRanges(`${path}/blobs/${layer.digest}`, blob)
  serveRanges(`${path}/blobs/${configDescriptor.digest}`, config)
  registry.bytes(`${path}/manifests/1`, manifest, MANIFEST_TYPE)
  return `${registry.host}/hostile/${name}:1`
}

function serveRanges(path: string, bytes: Uint8Array): void {
  registry.answer(path, (request, response) => {
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? []
    const start = Number(first ?? 0)
    const end = last ? Number(last) + 1 : bytes.length
    const range = { "content-range": `bytes ${start}-${end - 1}/${bytes.length}` }
    response.writeHead(first === undefined ? 200 : 206, first === undefined ? {} : range)
    response.end(bytes.subarray(start, end))
  })
}

/** The base is here; what the hostile image brings is put beside it. Gives what its tool holds, or why it did not come. */
async function pulled(image: string): Promise<{ tool?: string; stderr: string }> {
  await skiff.ok("pull", "-q", baseName())
  const { code, stderr } = await skiff.run(["pull", "-q", image])
  canary.check()
  if (code !== 0) return { stderr }
  const mounted = await skiff.ok("image", "inspect", "-f", "{{.Id}}", image)
  const archive = spawnSync(skiff.command(["save", mounted])[0] ?? "", skiff.command(["save", mounted]).slice(1), {
    env: skiff.env,
    maxBuffer: 64 * MIB,
  }).stdout
  // a docker-archive holds it as it is
  const tool = archive.includes(tar(next)) ? "newer" : "another"
  await skiff.ok("rmi", image)
  return { tool, stderr }
}

let served: string | undefined
const baseName = (): string => (served ??= registry.image(buildImage({ layers: [{ entries: base }] })))

const entryOf = (toc: Toc, name: string): Record<string, unknown> =>
  toc.entries.find((entry) => entry.name === name) ?? {}

describe("a table of contents that", () => {
  const lies: Record<string, (layer: Layer) => Lies | void> = {
    "names another content of the same size": ({ toc }) => {
      entryOf(toc, "lib/3").digest = entryOf(toc, "lib/4").digest
    },
    "leads to another content": ({ toc }) => {
      const { offset, endOffset } = entryOf(toc, "lib/0")
      Object.assign(entryOf(toc, "tool"), { offset, endOffset })
    },
    "leads outside of the blob": ({ toc }) => void Object.assign(entryOf(toc, "tool"), { endOffset: 2 ** 50 }),
    "leads before the blob": ({ toc }) => void Object.assign(entryOf(toc, "tool"), { offset: -5 }),
    "has offsets that are no numbers": ({ toc }) => void Object.assign(entryOf(toc, "tool"), { offset: "0x10" }),
    "has contents over each other": ({ toc }) => {
      const { offset } = entryOf(toc, "lib/18")
      Object.assign(entryOf(toc, "lib/19"), { offset })
    },
    "has a name twice": ({ toc }) => void toc.entries.push({ ...entryOf(toc, "tool") }),
    "has names that lead outside": ({ toc }) => {
      toc.entries.push({ ...entryOf(toc, "tool"), name: `../../../../..${canary.path}` })
      toc.entries.push({ ...entryOf(toc, "tool"), name: canary.path })
    },
    "links files in a circle": ({ toc }) => {
      toc.entries.push({ type: "hardlink", name: "a", linkName: "b" }, { type: "hardlink", name: "b", linkName: "a" })
    },
    "claims more bytes than there are on any disk": ({ toc }) =>
      void Object.assign(entryOf(toc, "tool"), { size: 2 ** 52 }),
    "gives files to others, and set-user-id": ({ toc }) =>
      void Object.assign(entryOf(toc, "tool"), { uid: 0, mode: 0o4777 }),
    "has a digest that is none": ({ toc }) => void Object.assign(entryOf(toc, "tool"), { digest: "sha256:../../x" }),
    "is no table": () => ({ tocBytes: json([1, 2, 3]) }),
    "is no JSON": () => ({ tocBytes: Buffer.from("{".repeat(100_000)) }),
    "has not the digest that the manifest names": () => ({
      annotations: { [`${PREFIX}.manifest-checksum`]: `sha256:${"0".repeat(64)}` },
    }),
    "is said to be elsewhere": () => ({ annotations: { [`${PREFIX}.manifest-position`]: "999999999:10:10:1" } }),
    "is said to be endless": () => ({
      annotations: { [`${PREFIX}.manifest-position`]: "8:999999999999999:999999999999999:1" },
    }),
    "says less of its size than it has": ({ data }) => ({
      annotations: { [`${PREFIX}.manifest-position`]: `${data.length + 8}:500:20:1` },
    }),
  }
  for (const [name, lie] of Object.entries(lies))
    test(name, async () => {
      const layer = await layerOf(next)
      const said = lie(layer) ?? {}
      const { tool, stderr } = await pulled(serve(name.toLowerCase().replaceAll(/\W+/g, "-"), layer, said))
      // the whole blob is as the config says: so the image comes, whatever the table said
      expect({ tool, stderr }).toMatchObject({ tool: "newer" })
    })

  test("is believed where it is true: no request is for the whole", async () => {
    const before = registry.asked.length
    expect(await pulled(serve("true", await layerOf(next)))).toMatchObject({ tool: "newer" })
    const asked = registry.asked.slice(before).filter(({ path }) => path.includes("/hostile/true/blobs/"))
    // the config; table and tar-split; what is new
    expect(asked.map(({ headers }) => headers.range !== undefined)).toEqual([false, true, true])
  })
})

describe("a tar-split that", () => {
  test("tells of another archive makes no other image", async () => {
    const layer = await layerOf(next)
    // the header of the tool becomes one of a set-user-id file
    const lines = layer.split.toString().split("\n")
    const changed = lines.map((line) => {
      if (!line.includes('"type":2')) return line
      const record = JSON.parse(line) as { payload: string }
      const bytes = Buffer.from(record.payload, "base64")
      const at = bytes.indexOf("tool\0")
      if (at < 0) return line
      bytes.write("0004777\0", at + 100)
      return JSON.stringify({ ...record, payload: bytes.toString("base64") })
    })
    expect(changed).not.toEqual(lines)
    layer.split = Buffer.from(changed.join("\n"))
    expect(await pulled(serve("set-id", layer))).toMatchObject({ tool: "newer" })
  })

  test("is not the one that its table names is not taken", async () => {
    const layer = await layerOf(next)
    const name = serve("other-split", layer, {
      tocBytes: json({ ...layer.toc, tarSplitDigest: `sha256:${"1".repeat(64)}` }),
    })
    expect(await pulled(name)).toMatchObject({ tool: "newer" })
  })
})

describe("a blob that is another archive than the config names", () => {
  test("is refused, with what the table says and without", async () => {
    const layer = await layerOf([...shared, { name: "tool", content: "#!/bin/sh\necho evil!\n", mode: 0o755 }])
    const { tool, stderr } = await pulled(serve("evil", layer))
    expect(tool).toBeUndefined()
    expect(stderr).toContain("the image's config says")
  })
})

/** The most memory that a pull takes, in bytes. */
async function peakOf(image: string): Promise<number> {
  await skiff.ok("pull", "-q", baseName())
  const script =
    "import resource,subprocess,sys; subprocess.run(sys.argv[1:], capture_output=True); " +
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
  // the registry answers from this very process
  const child = Bun.spawn(["python3", "-c", script, ...skiff.command(["pull", "-q", image])], {
    env: skiff.env,
    cwd: skiff.directory,
    stdio: ["ignore", "pipe", "inherit"],
  })
  return Number(await new Response(child.stdout).text()) * 1024
}

describe("memory stays bounded by", () => {
  test("a table that is small packed and a gigabyte unpacked", async () => {
    const layer = await layerOf(next)
    const honest = await peakOf(serve("honest", layer))
    const tocBytes = Buffer.alloc(1024 * MIB, 0x20)
    const bomb = serve("toc-bomb", layer, { tocBytes })
    expect(await peakOf(bomb)).toBeLessThan(honest + 192 * MIB)
    // and where it is said to be small
    const small = await layerOf(next)
    const packed = zstdCompressSync(tocBytes)
    const position = `${small.data.length + 8}:${packed.length}:1000:1`
    const lying = serve("toc-bomb-2", small, { tocBytes, annotations: { [`${PREFIX}.manifest-position`]: position } })
    expect(await peakOf(lying)).toBeLessThan(honest + 192 * MIB)
  }, 120_000)

  test("a content that unpacks to more than is said of it", async () => {
    const layer = await layerOf(next)
    const honest = await peakOf(serve("honest-2", layer))
    const bomb = zstdCompressSync(Buffer.alloc(1024 * MIB))
    const { offset } = entryOf(layer.toc, "tool")
    layer.data = Buffer.concat([layer.data.subarray(0, Number(offset)), bomb])
    Object.assign(entryOf(layer.toc, "tool"), { endOffset: layer.data.length })
    expect(await peakOf(serve("content-bomb", layer))).toBeLessThan(honest + 192 * MIB)
  }, 120_000)
})
