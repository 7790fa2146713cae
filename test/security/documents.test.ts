/** Documents that are small to send and large to work on: refused before anything is made of them. One user is enough. */
import { describe, expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { build } from "../support/build.ts"
import { buildImage, busyboxEntries, digestOf, json, type BuiltImage } from "../support/image.ts"
import { busyboxReference, openStore } from "../support/store.ts"
import { tar, type TarEntry } from "../support/tar.ts"

const skiff = openStore()

const MAX_MEMORY_BYTES = 300 * 1024 ** 2
const hex = (digest: string) => digest.replace("sha256:", "")
const times = (count: number) => Array.from({ length: count }, (_, index) => index)

/**
 * Runs its words, then writes the most memory that they had, in KiB. Between us and them: what a process begins with is counted as its
 * own, and a test that has seen many others is large.
 */
const MEASURE = `import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code if code >= 0 else 128 - code)`

/** Runs it and says how much memory it had at most. */
async function measured(...args: string[]): Promise<{ code: number; stderr: string; memoryBytes: number }> {
  const child = Bun.spawn(["timeout", "-s", "KILL", "40", "python3", "-c", MEASURE, ...skiff.command(args)], {
    env: skiff.env,
    cwd: skiff.directory,
    stdio: ["ignore", "pipe", "pipe"],
  })
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, stderr, memoryBytes: Number(stdout) * 1024 }
}

async function refused(reason: RegExp, ...args: string[]): Promise<void> {
  const { code, stderr, memoryBytes } = await measured(...args)
  expect(stderr).toMatch(reason)
  expect(stderr).not.toMatch(/^\s+at .*\.ts/m)
  expect(code).toBeGreaterThan(0)
  expect(code).toBeLessThan(126)
  expect(memoryBytes).toBeLessThan(MAX_MEMORY_BYTES)
}

/** An OCI layout as an archive. */
function archiveOf(image: BuiltImage, name: string): string {
  const manifest = { ...image.manifest, annotations: { "org.opencontainers.image.ref.name": name } }
  return written([
    { name: "oci-layout", content: '{"imageLayoutVersion":"1.0.0"}' },
    { name: "index.json", content: JSON.stringify({ schemaVersion: 2, manifests: [manifest] }) },
    ...[...image.blobs].map(([digest, content]): TarEntry => ({ name: `blobs/sha256/${hex(digest)}`, content })),
  ])
}

let archives = 0
function written(entries: readonly TarEntry[]): string {
  const path = join(skiff.directory, `archive-${archives++}.tar`)
  writeFileSync(path, tar(entries))
  return path
}

/** A good image with another config. */
function withConfig(bytes: Uint8Array): string {
  const image = buildImage({ layers: [{ entries: [{ name: "f", content: "x" }] }] })
  const config = { ...image.config, digest: digestOf(bytes), size: bytes.length }
  const document = { schemaVersion: 2, mediaType: image.manifest.mediaType, config, layers: image.layers }
  const manifest = json(document)
  image.blobs.set(config.digest, bytes)
  image.blobs.set(digestOf(manifest), manifest)
  return archiveOf(
    { ...image, manifest: { ...image.manifest, digest: digestOf(manifest), size: manifest.length } },
    "hostile:1",
  )
}

const imageConfig = (config: Record<string, unknown>, more: Record<string, unknown> = {}) =>
  json({
    architecture: "amd64",
    os: "linux",
    config,
    rootfs: { type: "layers", diff_ids: buildImage({ layers: [{ entries: [{ name: "f", content: "x" }] }] }).diffIds },
    ...more,
  })
const record = <T>(count: number, key: (index: number) => string, value: T) =>
  Object.fromEntries(times(count).map((index) => [key(index), value]))

describe("an image is refused whose config has", () => {
  const eightMegabytes = 8 * 1024 ** 2 - 1024
  const start = '{"architecture":"amd64","os":"linux","x":'
  const table: Record<string, [Uint8Array, RegExp]> = {
    "lists in lists": [Buffer.from(`${start}${"[".repeat(eightMegabytes / 2)}`), /nested more than/],
    "millions of empty lists": [Buffer.from(`${start}[${"[],".repeat(eightMegabytes / 3)}[]]}`), /values/],
    "millions of numbers": [Buffer.from(`${start}[${"1,".repeat(eightMegabytes / 2)}1]}`), /values/],
    "3,000 volumes": [imageConfig({ Volumes: record(3000, (index) => `/v/${index}`, {}) }), /more than 256 volumes/],
    "100,000 variables": [
      imageConfig({ Env: times(100_000).map((index) => `E${index}=1`) }),
      /more than 10000 entries/,
    ],
    "100,000 labels": [imageConfig({ Labels: record(100_000, (index) => `l${index}`, "x") }), /more than 10000 labels/],
    "100,000 words": [imageConfig({ Cmd: times(100_000).map(String) }), /more than 10000 words/],
    "100,000 steps of history": [
      imageConfig({}, { history: times(60_000).map(() => ({ empty_layer: true })) }),
      /more than 10000 steps/,
    ],
  }
  for (const [name, [bytes, reason]] of Object.entries(table))
    test(name, () => refused(reason, "load", "-i", withConfig(bytes)))
})

test("an archive with 100,000 tags is refused", async () => {
  const { config, layers, blobs } = buildImage({
    layers: [{ entries: [{ name: "f", content: "x" }], compression: "none" }],
  })
  const bytesOf = (digest = "") => blobs.get(digest) ?? new Uint8Array()
  const tags = times(100_000).map((index) => `t:${index}`)
  const manifest = [{ Config: "config.json", RepoTags: tags, Layers: ["l.tar"] }]
  const path = written([
    { name: "config.json", content: bytesOf(config.digest) },
    { name: "l.tar", content: bytesOf(layers[0]?.digest) },
    { name: "manifest.json", content: JSON.stringify(manifest) },
  ])
  await refused(/more than 10000 tags/, "load", "-i", path)
})

describe("ports are counted as they are added", () => {
  test("30,000 full ranges of an image", async () => {
    const ports = record(30_000, (index) => `${1 + (index % 1000)}-${65_535 - Math.floor(index / 1000)}/tcp`, {})
    const image = buildImage({ layers: [{ entries: busyboxEntries() }], config: { Cmd: ["sh"], ExposedPorts: ports } })
    await skiff.ok("load", "-q", "-i", archiveOf(image, "ports:1"))
    await refused(/more than 196605 ports/, "create", "ports:1")
  })

  test("full ranges given by hand", async () => {
    const name = await busyboxReference()
    for (const flag of ["--expose=1-65535", "--publish=1-65535"])
      await refused(/more than 196605 ports/, "create", ...times(4).map(() => flag), name)
  })

  test("EXPOSE", async () => {
    const lines = times(4).map(() => "EXPOSE 1-65535")
    const { code, stderr } = await build(skiff, { Dockerfile: ["FROM busybox", ...lines].join("\n") })
    expect(stderr).toMatch(/Dockerfile:5.*more than 196605 ports/)
    expect(code).toBe(1)
  })

  test("every port there is may be exposed", async () => {
    const id = await skiff.ok("create", "--expose", "1-65535/tcp", "--expose", "1-65535/udp", "busybox")
    const { Config } = await skiff.inspect(id)
    expect(Object.keys(Config.ExposedPorts ?? {})).toHaveLength(2 * 65_535)
    await skiff.ok("rm", id)
  })
})

test("VOLUME is refused where no image with so many could be read again", async () => {
  const lines = times(300).map((index) => `VOLUME /v/${index}`)
  const { code, stderr } = await build(skiff, { Dockerfile: ["FROM busybox", ...lines].join("\n") })
  expect(stderr).toMatch(/more than 256 volumes/)
  expect(code).toBe(1)
})
