/** Hostile archives of images and of file systems: by load and import. */
import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { chmodSync, cpSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { Canary } from "../support/canary.ts"
import { buildImage, CONFIG_TYPE, digestOf, INDEX_TYPE, json, MANIFEST_TYPE, writeLayout } from "../support/image.ts"
import { Skiff } from "../support/skiff.ts"
import { tar, type TarEntry } from "../support/tar.ts"

const skiff = new Skiff()
const canary = new Canary()
chmodSync(skiff.home, 0o777)
const up = `${"../".repeat(20)}${canary.path.slice(1)}`
afterEach(async () => {
  canary.check()
  const left = (await skiff.ok("images", "-aq")).split("\n").filter(Boolean)
  if (left.length > 0) await skiff.ok("rmi", "-f", ...left)
})
afterAll(async () => {
  canary.remove()
  await skiff.close()
}, 60_000)

const good = buildImage({ layers: [{ entries: [{ name: "f", content: "good" }], compression: "none" }] })
const bytesOf = (digest: string) => good.blobs.get(digest) ?? new Uint8Array()
const hex = (digest = "") => digest.replace("sha256:", "")
const config = bytesOf(good.config.digest)
const layer = bytesOf(good.layers[0]?.digest ?? "")
const configName = `${hex(good.config.digest)}.json`

/** A docker archive: its manifest, then whatever lies in it. */
const docker = (manifest: unknown, ...entries: TarEntry[]) =>
  tar([...entries, { name: "manifest.json", content: JSON.stringify(manifest) }])
const entry = { Config: configName, RepoTags: ["hostile:1"], Layers: ["l.tar"] }
const files: TarEntry[] = [
  { name: configName, content: config },
  { name: "l.tar", content: layer },
]

/** An OCI layout as an archive; `index` and `change` may lie. */
function oci(index: unknown, blobs: ReadonlyMap<string, Uint8Array> = good.blobs): Uint8Array {
  return tar([
    { name: "oci-layout", content: '{"imageLayoutVersion":"1.0.0"}' },
    { name: "index.json", content: JSON.stringify(index) },
    ...[...blobs].map(([digest, content]): TarEntry => ({ name: `blobs/sha256/${hex(digest)}`, content })),
  ])
}
const indexOf = (...manifests: unknown[]) => ({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests })
function blobsWith(document: unknown): { blobs: Map<string, Uint8Array>; descriptor: Record<string, unknown> } {
  const bytes = json(document)
  const blobs = new Map([...good.blobs, [digestOf(bytes), bytes]])
  return { blobs, descriptor: { mediaType: MANIFEST_TYPE, digest: digestOf(bytes), size: bytes.length } }
}
const manifest = { schemaVersion: 2, mediaType: MANIFEST_TYPE, config: good.config, layers: good.layers }

const path = join(skiff.home, "archive")
beforeEach(() => rmSync(path, { recursive: true, force: true }))
async function refused(verb: "load" | "import", bytes: Uint8Array | undefined, words: RegExp): Promise<void> {
  if (bytes !== undefined) writeFileSync(path, bytes)
  const { code, stderr } = await skiff.run(verb === "load" ? ["load", "-i", path] : ["import", path], {
    timeoutMs: 60_000,
  })
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(words) })
  expect(stderr).not.toMatch(/^\s+at .*\.ts|panic|segfault/im)
  expect(await skiff.ok("images", "-aq")).toBe("")
}

test("the archives below differ from a good one in what their test says", async () => {
  for (const bytes of [docker([entry], ...files), oci(indexOf(good.manifest))]) {
    writeFileSync(path, bytes)
    await skiff.ok("load", "-i", path)
    expect(await skiff.ok("images", "-q", "--no-trunc")).toBe(good.config.digest)
    await skiff.ok("rmi", "-f", good.config.digest)
  }
})

const link = (name: string, linkName: string, type: "symlink" | "hardlink" = "symlink"): TarEntry => ({
  name,
  type,
  linkName,
})

describe("names and links", () => {
  const sets: Record<string, [Uint8Array, RegExp]> = {
    "a file with ..": [docker([entry], ...files, { name: up, content: "dead" }), /could lead outside/],
    "a config outside": [docker([{ ...entry, Config: canary.path }], ...files), /no file/],
    "a config outside, by ..": [docker([{ ...entry, Config: up }], ...files), /no file/],
    "a layer outside": [docker([{ ...entry, Layers: [`/${up}`] }], ...files), /no file/],
    "a layer that links to the host": [docker([entry], ...files.slice(0, 1), link("l.tar", canary.path)), /no file/],
    "a layer that links out of the archive": [
      docker([entry], ...files.slice(0, 1), link("l.tar", up)),
      /outside of it/,
    ],
    "a hard link to the host": [
      docker([entry], ...files.slice(0, 1), link("l.tar", canary.path, "hardlink")),
      /no file/,
    ],
    "links in a circle": [
      docker([entry], ...files.slice(0, 1), link("l.tar", "m.tar"), link("m.tar", "l.tar")),
      /more than 8 times/,
    ],
    "two files of one name": [docker([entry], ...files, { name: "./l.tar", content: layer }), /two files/],
    "two manifests": [docker([entry], ...files, { name: "manifest.json", content: "[]" }), /two files/],
    "a name that is none": [docker([{ ...entry, RepoTags: ["../../etc/passwd"] }], ...files), /invalid image name/],
    "a name in upper case": [docker([{ ...entry, RepoTags: ["A/B:1"] }], ...files), /invalid image name/],
    "a name with a digest": [docker([{ ...entry, RepoTags: [`a@${good.manifest.digest}`] }], ...files), /digest/],
  }
  for (const [what, [bytes, words]] of Object.entries(sets))
    test(`${what} is refused`, () => refused("load", bytes, words))

  test("a file beside the image, absolute or as a device, is never made", async () => {
    const more: TarEntry[] = [
      { name: canary.path, content: "dead" },
      { name: "dev", type: "character", device: { major: 1, minor: 3 } },
    ]
    writeFileSync(path, docker([entry], ...files, ...more))
    await skiff.ok("load", "-i", path)
    await skiff.ok("rmi", "-f", good.config.digest)
  })
})

describe("digests and sizes", () => {
  const other = buildImage({ layers: [{ entries: [{ name: "f", content: "evil" }], compression: "none" }] })
  const evilLayer = other.blobs.get(other.layers[0]?.digest ?? "") ?? new Uint8Array()
  const swapped = new Map(good.blobs).set(good.layers[0]?.digest ?? "", evilLayer)
  const swappedConfig = new Map(good.blobs).set(
    good.config.digest,
    other.blobs.get(other.config.digest) ?? new Uint8Array(),
  )
  const swappedManifest = new Map(good.blobs).set(good.manifest.digest, json({ ...manifest, annotations: {} }))
  const sized = (by: number) =>
    blobsWith({ ...manifest, layers: good.layers.map((each) => ({ ...each, size: each.size + by })) })
  const both = blobsWith({ ...manifest, manifests: [] })
  const sets: Record<string, [Uint8Array, RegExp]> = {
    "a config under another's digest": [
      docker(
        [{ ...entry, Config: `${"0".repeat(64)}.json` }],
        { name: `${"0".repeat(64)}.json`, content: config },
        ...files,
      ),
      /has digest sha256:/,
    ],
    "a layer of another diff id": [
      docker([entry], ...files.slice(0, 1), { name: "l.tar", content: evilLayer }),
      /unpacks to/,
    ],
    "a compressed layer of another diff id": [
      docker([entry], ...files.slice(0, 1), { name: "l.tar", content: gzipSync(evilLayer) }),
      /unpacks to/,
    ],
    "too few layers": [docker([{ ...entry, Layers: [] }], ...files), /layers/],
    "other bytes under the layer's digest": [oci(indexOf(good.manifest), swapped), /unpacks to/],
    "other bytes under the config's digest": [oci(indexOf(good.manifest), swappedConfig), /digest|bytes/],
    "other bytes under the manifest's digest": [
      oci(indexOf({ ...good.manifest, size: swappedManifest.get(good.manifest.digest)?.length }), swappedManifest),
      /digest/,
    ],
    "a size one too large": [oci(indexOf(sized(1).descriptor), sized(1).blobs), /bytes/],
    "a size one too small": [oci(indexOf(sized(-1).descriptor), sized(-1).blobs), /bytes/],
    "a digest that is a path": [oci(indexOf({ ...good.manifest, digest: "sha256:../../../../etc/passwd" })), /digest/],
    "a digest in upper case": [
      oci(indexOf({ ...good.manifest, digest: good.manifest.digest.toUpperCase() })),
      /digest/,
    ],
    "a manifest that is an index too": [oci(indexOf(both.descriptor), both.blobs), /at once/],
    "an index that is a manifest": [oci(indexOf({ ...good.manifest, mediaType: INDEX_TYPE })), /says that it is/],
    "a blob that is missing": [
      oci(indexOf(good.manifest), new Map([[good.manifest.digest, bytesOf(good.manifest.digest)]])),
      /no file/,
    ],
    "what is no image": [oci(indexOf({ ...good.manifest, mediaType: CONFIG_TYPE })), /says that it is|no image/],
  }
  for (const [what, [bytes, words]] of Object.entries(sets))
    test(`${what} is refused`, () => refused("load", bytes, words))
})

describe("caps", () => {
  test("more files, images or layers than any archive has, and documents of megabytes, are refused", async () => {
    const many = Array.from({ length: 20_001 }, (_, index): TarEntry => ({ name: `${index}` }))
    await refused("load", docker([entry], ...many), /more than 20000 files/)
    await refused(
      "load",
      docker(
        Array.from({ length: 1_001 }, () => entry),
        ...files,
      ),
      /more than 1000 images/,
    )
    await refused(
      "load",
      docker([{ ...entry, Layers: Array.from({ length: 501 }, () => "l.tar") }], ...files),
      /more than 500 layers/,
    )
    await refused("load", docker(["x".repeat(9 * 1024 ** 2)], ...files), /the limit is \d+/)
    await refused("load", oci(indexOf(...Array.from({ length: 1_001 }, () => good.manifest))), /more than 1000 entries/)
    await refused("load", tar([{ name: "manifest.json", claimedSize: 2 ** 32, content: "[]" }]), /truncated/)
  })

  test("an index within itself, or one in the other for ever, ends", async () => {
    let blobs = new Map(good.blobs)
    let descriptor: Record<string, unknown> = { ...good.manifest }
    for (let depth = 0; depth < 6; depth++) {
      const bytes = json(indexOf(descriptor))
      blobs = new Map([...blobs, [digestOf(bytes), bytes]])
      descriptor = { mediaType: INDEX_TYPE, digest: digestOf(bytes), size: bytes.length }
    }
    await refused("load", oci(indexOf(descriptor), blobs), /indexes, one in the other/)
  })

  test("an archive that grows a thousandfold is stopped, in little memory, and its bytes are gone", async () => {
    const made = spawnSync("sh", ["-c", `head -c 3G /dev/zero | ${zeros()} > "$0"`, path])
    expect(made.status).toBe(0)
    const before = usedBytes()
    const { code, stderr } = await skiff.run(["load", "-i", path], { timeoutMs: 60_000 })
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/expands this much|no tar archive/) })
    expect(usedBytes() - before).toBeLessThan(300 * 2 ** 20)
    expect(readdirSync(join(skiff.root, "ingest"))).toEqual([])
  }, 120_000)
})

const zeros = () => (spawnSync("sh", ["-c", "command -v zstd"]).status === 0 ? "zstd -q -1" : "gzip -1")
/** Of all that this skiff has; the disk's own figure is other tests' too. */
const usedBytes = () => Number(spawnSync("du", ["-sB1", skiff.directory]).stdout.toString().split("\t")[0])

test("a truncated archive, a damaged layer and garbage are refused", async () => {
  const whole = Buffer.from(docker([entry], ...files))
  for (const at of [100, 512, 700, 2_000])
    await refused("load", whole.subarray(0, at), /truncated|no tar archive|manifest\.json/)
  await refused("load", gzipSync(whole).subarray(0, 200), /truncated or damaged|no tar/)
  const cut = gzipSync(layer).subarray(0, 60)
  await refused("load", docker([entry], ...files.slice(0, 1), { name: "l.tar", content: cut }), /truncated|damaged/)
  await refused("load", Buffer.alloc(100_000, "garbage"), /no tar archive/)
  await refused("load", Buffer.alloc(0), /not an image archive|no tar/)
  await refused("load", docker({ Config: 1 }, ...files), /manifest\.json/)
  await refused("load", docker([null], ...files), /manifest\.json/)
  await refused("load", tar([{ name: "repositories", content: "{}" }]), /before 1\.10/)
})

describe("a directory", () => {
  const layout = join(skiff.home, "layout")
  const blob = (digest: string) => join(layout, "blobs/sha256", hex(digest))
  const open = () => spawnSync("chmod", ["-R", "a+rX", layout])
  beforeEach(() => {
    rmSync(layout, { recursive: true, force: true })
    writeLayout(layout, [good])
    open()
  })
  const load = async (words: RegExp) => {
    const { code, stderr } = await skiff.run(["load", "-i", layout], { timeoutMs: 10_000 })
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(words) })
    expect(await skiff.ok("images", "-aq")).toBe("")
  }

  test("with links to the host gives nothing of it", async () => {
    cpSync(canary.path, join(skiff.home, "other"))
    for (const file of [join(layout, "index.json"), blob(good.config.digest)]) {
      rmSync(file)
      symlinkSync(canary.path, file)
      await load(/no file|not an image archive/)
      rmSync(file)
      writeLayout(layout, [good])
      open()
    }
  })

  test("with a FIFO or a directory in the place of a file does not hang", async () => {
    rmSync(blob(good.config.digest))
    spawnSync("mkfifo", ["-m", "666", blob(good.config.digest)])
    await load(/no regular file/)
    rmSync(blob(good.config.digest))
    mkdirSync(blob(good.config.digest))
    await load(/no regular file/)
  })
})

describe("import", () => {
  test("of names that lead out, links and devices lands inside or is refused", async () => {
    await refused("import", tar([{ name: up, content: "dead" }]), /could lead outside/)
    await refused("import", tar([{ name: "a", type: "hardlink", linkName: up }]), /outside|no file/)
    for (const entries of [
      [{ name: canary.path, content: "dead" }],
      [
        { name: "a", type: "symlink", linkName: canary.directory },
        { name: "a/canary", content: "dead" },
      ],
      [{ name: "null", type: "character", device: { major: 1, minor: 3 } }],
    ] satisfies TarEntry[][]) {
      writeFileSync(path, tar(entries))
      const { code, stdout } = await skiff.run(["import", path])
      if (code === 0) await skiff.ok("rmi", stdout.trim())
      canary.check()
    }
  })

  test("of garbage, of nothing and of a cut archive is refused", async () => {
    await refused("import", Buffer.alloc(10_000, "x"), /tar|header|checksum/i)
    await refused("import", tar([{ name: "f", content: "x".repeat(2_000) }]).subarray(0, 1_000), /truncated/)
  })
})
