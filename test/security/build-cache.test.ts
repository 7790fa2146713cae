/**
 * Hostile caches (`--cache-from`): refused, or all they do stays inside. What a user trusts one with is in docs/build.md.
 *
 * One user is enough.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { chownSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gunzipSync, gzipSync } from "node:zlib"
import { makeContext } from "../support/build.ts"
import { Canary } from "../support/canary.ts"
import { HostileRegistry } from "../support/hostile-registry.ts"
import { digestOf, json, LAYER_TYPE, MANIFEST_TYPE } from "../support/image.ts"
import { Machine, stepsOf } from "../support/machine.ts"
import type { Outcome, Skiff } from "../support/skiff.ts"
import { busyboxReference, openStore } from "../support/store.ts"
import { tar, type TarEntry } from "../support/tar.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const canary = new Canary()
const up = `${"../".repeat(20)}${canary.path.slice(1)}`
const MAP_TYPE = "application/vnd.skiff.build-cache.v1+json"

afterEach(() => canary.check())
afterAll(() => canary.remove())

interface Descriptor {
  mediaType: string
  digest: string
  size: number
  urls?: string[]
}
interface Manifest {
  config: Descriptor
  layers: Descriptor[]
  [field: string]: unknown
}
interface CacheMap {
  layers: string[]
  steps: {
    keys: string[]
    parent?: number
    layer: number
    description: string
    slot: string
    parts: [string, string][]
  }[]
  mounts: { key: string; layer: number; uid: number }[]
}

/** A cache in a directory, as it may be forged: digests follow what is written, unless they are what is forged. */
class ForgedCache {
  readonly directory: string
  manifest: Manifest
  map: CacheMap

  constructor(of: string, directory: string) {
    cpSync(of, directory, { recursive: true })
    this.directory = directory
    const [top] = (JSON.parse(readFileSync(join(directory, "index.json"), "utf8")) as { manifests: Descriptor[] })
      .manifests
    this.manifest = JSON.parse(this.#read(top)) as Manifest
    this.map = JSON.parse(this.#read(this.manifest.config)) as CacheMap
  }

  blobPath(digest: string): string {
    return join(this.directory, "blobs", digest.replace(":", "/"))
  }

  put(mediaType: string, bytes: Uint8Array): Descriptor {
    const digest = digestOf(bytes)
    writeFileSync(this.blobPath(digest), bytes)
    return { mediaType, digest, size: bytes.length }
  }

  /** Another layer in the place of one; whoever made it knows its digests. */
  setLayer(index: number, entries: readonly TarEntry[]): void {
    const bytes = tar(entries)
    this.manifest.layers[index] = this.put(LAYER_TYPE, gzipSync(bytes))
    this.map.layers[index] = digestOf(bytes)
  }

  /** Writes the documents; gives the flag that names the cache. */
  publish(map: unknown = this.map): string {
    this.manifest.config = this.put(MAP_TYPE, json(map))
    return this.publishManifest(json(this.manifest))
  }

  publishManifest(bytes: Uint8Array): string {
    const manifests = [
      { ...this.put(MANIFEST_TYPE, bytes), annotations: { "org.opencontainers.image.ref.name": "latest" } },
    ]
    writeFileSync(join(this.directory, "index.json"), json({ schemaVersion: 2, manifests }))
    return `--cache-from=type=local,src=${this.directory}`
  }

  #read(descriptor: Descriptor | undefined): string {
    return readFileSync(this.blobPath(descriptor?.digest ?? ""), "utf8")
  }
}

let context = ""
let honest = ""
let made = 0
beforeAll(async () => {
  const base = await busyboxReference()
  context = makeContext(skiff, {
    Dockerfile: `FROM ${base}\nRUN echo one > /one\nRUN --mount=type=cache,target=/c echo two > /two; touch /c/f\n`,
  })
  honest = join(skiff.directory, "honest-cache")
  mkdirSync(honest)
  chownSync(honest, user.uid, user.gid)
  await skiff.ok("build", "-q", "--cache-to", `type=local,dest=${honest}`, context)
})

const forge = (): ForgedCache => new ForgedCache(honest, join(skiff.directory, `forged-${made++}`))

const build = (on: Skiff, ...flags: string[]): Promise<Outcome> =>
  on.run(["build", "--progress", "plain", "-t", "out", ...flags, context])

/** The build ends, and says why. */
async function refused(flag: string, reason: RegExp): Promise<void> {
  await using machine = new Machine()
  const { code, stderr } = await build(machine, flag)
  expect(stderr).toMatch(reason)
  expect(code).toBe(1)
  expect(stderr).toMatch(/^skiff: /m)
  expect(stderr).not.toMatch(/^\s+at .*\.ts|panic|segfault/im)
  expect(await machine.ok("images", "-q", "out")).toBe("")
}

test("the honest one is taken", async () => {
  await using machine = new Machine()
  expect(stepsOf(await build(machine, forge().publish())).ran).toEqual([])
})

describe("a map is refused when", () => {
  const forgeries: [string, RegExp, (map: CacheMap) => unknown][] = [
    ["it is no JSON object", /not a JSON object/, () => []],
    ["it has another form", /invalid map/, () => ({ steps: "all" })],
    [
      "its steps stand on each other",
      /comes later/,
      (map) => {
        for (const step of map.steps) step.parent = map.steps.length - 1
        return map
      },
    ],
    [
      "a layer is not there",
      /layer 99 of/,
      (map) => {
        for (const step of map.steps) step.layer = 99
        return map
      },
    ],
    [
      "a key is a path",
      /64 hex digits/,
      (map) => {
        for (const mount of map.mounts) mount.key = "../../../x"
        return map
      },
    ],
    [
      "it names more layers than there are",
      /names \d+ layers/,
      (map) => ({ ...map, layers: [...map.layers, ...map.layers] }),
    ],
    ["a diff id is a path", /expected sha256/, (map) => ({ ...map, layers: map.layers.map(() => "sha256:../../x") })],
    ["it is too large", /the limit is 8388608/, (map) => ({ ...map, more: "x".repeat(9 * 1024 ** 2) })],
  ]
  for (const [name, reason, change] of forgeries)
    test(name, async () => {
      const cache = forge()
      await refused(cache.publish(change(cache.map)), reason)
    })

  test("its bytes are not those of its digest", async () => {
    const cache = forge()
    const flag = cache.publish()
    const path = cache.blobPath(cache.manifest.config.digest)
    writeFileSync(path, readFileSync(path, "utf8").replace("RUN", "NUR"))
    await refused(flag, /have digest sha256:/)
  })
})

describe("a manifest is refused when", () => {
  const forgeries: [string, RegExp, (manifest: Manifest) => unknown][] = [
    ["it is an index too", /manifest and an index/, (manifest) => ({ ...manifest, manifests: [] })],
    [
      "a digest is a path",
      /expected sha256/,
      (manifest) => ({ ...manifest, layers: [{ ...manifest.layers[0], digest: "sha256:../../x" }] }),
    ],
    ["a size is negative", /size/, (manifest) => ({ ...manifest, config: { ...manifest.config, size: -1 } })],
    [
      "its map is said to be smaller",
      /has \d+ bytes, its manifest says/,
      (manifest) => ({ ...manifest, config: { ...manifest.config, size: manifest.config.size - 1 } }),
    ],
    [
      "a layer is of a type that is none",
      /a layer of type/,
      (manifest) => ({ ...manifest, layers: manifest.layers.map((layer) => ({ ...layer, mediaType: "text/html" })) }),
    ],
    [
      "it has 600 layers",
      /more than 500/,
      (manifest) => ({ ...manifest, layers: Array.from({ length: 600 }, () => manifest.layers[0]) }),
    ],
  ]
  for (const [name, reason, change] of forgeries)
    test(name, async () => {
      const cache = forge()
      cache.publish()
      await refused(cache.publishManifest(json(change(cache.manifest))), reason)
    })

  test("its own bytes are others", async () => {
    const cache = forge()
    const flag = cache.publish()
    const [top] = (JSON.parse(readFileSync(join(cache.directory, "index.json"), "utf8")) as { manifests: Descriptor[] })
      .manifests
    writeFileSync(cache.blobPath(top?.digest ?? ""), json({ ...cache.manifest, more: 1 }))
    await refused(flag, /has digest sha256:/)
  })
})

describe("a layer is refused when", () => {
  test.each<[string, (bytes: Buffer) => Uint8Array]>([
    [
      "a byte of it is another",
      (bytes) => Buffer.from(bytes).fill(bytes.at(-9) === 1 ? 2 : 1, bytes.length - 9, bytes.length - 8),
    ],
    ["it is cut", (bytes) => bytes.subarray(0, -1)],
    ["it has a byte more", (bytes) => Buffer.concat([bytes, Buffer.from("x")])],
    ["it is another", () => gzipSync(tar([{ name: "evil", content: "x" }]))],
    ["it is no archive", (bytes) => Buffer.alloc(bytes.length, 7)],
  ])("%s", async (_, change) => {
    const cache = forge()
    const path = cache.blobPath(cache.manifest.layers[0]?.digest ?? "")
    writeFileSync(path, change(readFileSync(path)))
    await refused(cache.publish(), /^skiff: .*(digest|bytes|gzip|archive|truncated|incorrect|header)/m)
  })

  test("it unpacks to something else than the map says", async () => {
    const cache = forge()
    const [first = ""] = cache.map.layers
    cache.setLayer(0, [{ name: "evil", content: "x" }])
    cache.map.layers[0] = first
    await refused(cache.publish(), /unpacks to sha256:/)
  })

  test("it is a bomb", async () => {
    const cache = forge()
    // members of one gzip file after each other (RFC 1952, 2.2)
    const zeros = gzipSync(Buffer.alloc(1 << 26))
    const head = gzipSync(tar([{ name: "zeros", claimedSize: 2 ** 31 }]).subarray(0, 512))
    cache.manifest.layers[0] = cache.put(LAYER_TYPE, Buffer.concat([head, ...Array.from({ length: 32 }, () => zeros)]))
    await refused(cache.publish(), /grows from/)
  })
})

describe("what a layer holds stays inside", () => {
  const sets: Record<string, TarEntry[]> = {
    "a name with ..": [{ name: up, content: "dead" }],
    "an absolute name": [{ name: canary.path, content: "dead" }],
    "a file through a symlink": [
      { name: "a", type: "symlink", linkName: canary.directory },
      { name: "a/canary", content: "dead" },
    ],
    "a hard link to the host, then its mode": [
      { name: "a", type: "hardlink", linkName: up },
      { name: "a", content: "dead", mode: 0o4777 },
    ],
    "whiteouts that lead out": [{ name: `.wh.${up}` }, { name: ".wh..." }, { name: "a/.wh..wh..opq" }],
  }
  for (const [name, entries] of Object.entries(sets)) {
    test(`of a step: ${name}`, async () => {
      const cache = forge()
      for (const index of cache.manifest.layers.keys()) cache.setLayer(index, entries)
      await using machine = new Machine()
      const { stderr } = await build(machine, cache.publish())
      expect(stderr).not.toMatch(/^\s+at .*\.ts|panic|segfault/im)
    })

    test(`of a cache mount: ${name}`, async () => {
      const cache = forge()
      for (const { layer } of cache.map.mounts) cache.setLayer(layer, entries)
      // so that the RUN with the mount is run
      for (const step of cache.map.steps) step.keys = []
      await using machine = new Machine()
      const { stderr } = await build(machine, cache.publish())
      expect(stderr).not.toMatch(/^\s+at .*\.ts|panic|segfault/im)
    })
  }
})

describe("a directory", () => {
  test("with links to the host for blobs shows nothing of it", async () => {
    const secret = join(skiff.home, "secret")
    writeFileSync(secret, "alive\n")
    chownSync(secret, user.uid, user.gid)
    for (const which of ["index.json", "config", "layer"]) {
      const cache = forge()
      const flag = cache.publish()
      const digest = which === "config" ? cache.manifest.config.digest : cache.manifest.layers[0]?.digest
      const path = which === "index.json" ? join(cache.directory, which) : cache.blobPath(digest ?? "")
      rmSync(path)
      symlinkSync(secret, path)
      await using machine = new Machine()
      const { stdout, stderr } = await build(machine, flag)
      expect(`${stdout}${stderr}`).not.toContain("alive")
      expect(stderr).not.toMatch(/^\s+at .*\.ts/m)
    }
  })

  test("with a pipe for a blob does not wait for its writer", async () => {
    const cache = forge()
    const flag = cache.publish()
    const path = cache.blobPath(cache.manifest.config.digest)
    rmSync(path)
    spawnSync("mkfifo", [path])
    await refused(flag, /no regular file/)
  })
})

describe("a registry", () => {
  test("sends nobody elsewhere: `urls` of layers are not asked", async () => {
    await using registry = await HostileRegistry.start()
    await using elsewhere = await HostileRegistry.start()
    const cache = forge()
    cache.publish()
    const type = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    const layers = cache.manifest.layers.map((layer) => ({
      ...layer,
      mediaType: type,
      urls: [`https://${elsewhere.host}/layer`],
    }))
    const path = "/v2/hostile/cache"
    registry.bytes(`${path}/manifests/1`, json({ ...cache.manifest, layers }), MANIFEST_TYPE)
    registry.bytes(
      `${path}/blobs/${cache.manifest.config.digest}`,
      readFileSync(cache.blobPath(cache.manifest.config.digest)),
    )
    await using machine = new Machine()
    const steps = stepsOf(await build(machine, "--cache-from", `type=registry,ref=${registry.host}/hostile/cache:1`))
    expect(elsewhere.asked).toEqual([])
    // its layers are gone: the steps are run
    expect(steps.ran).toHaveLength(2)
    expect(steps.told).toMatch(/CacheNotImported: .* is not used any more/)
  })
})

describe("a forged map is a wrong cache for who names it, and", () => {
  test("answers for no step that was not asked for", async () => {
    const other = makeContext(skiff, { Dockerfile: `FROM ${await busyboxReference()}\nRUN echo other > /other\n` })
    const directory = join(skiff.directory, "other-cache")
    mkdirSync(directory)
    chownSync(directory, user.uid, user.gid)
    await skiff.ok("build", "-q", "--cache-to", `type=local,dest=${directory}`, other)
    const { map } = new ForgedCache(directory, join(skiff.directory, `forged-${made++}`))
    const cache = forge()
    // the victim's keys and parts, with a layer of ours
    for (const [index, step] of cache.map.steps.entries()) {
      step.keys.push(...(map.steps[0]?.keys ?? []))
      if (index > 0) step.parts = map.steps[0]?.parts ?? []
    }
    await using machine = new Machine()
    expect(stepsOf(await build(machine, cache.publish())).ran).toEqual([])
    expect(stepsOf(await machine.run(["build", "--progress", "plain", other])).ran).toEqual(["RUN echo other > /other"])
  })

  test("tells nothing to the terminal but text", async () => {
    const cache = forge()
    const escape = "\u001b]0;owned\u0007\u009b31m"
    for (const step of cache.map.steps) {
      step.keys = []
      step.description = escape
      step.parts = [
        ["the step before it", "0".repeat(32)],
        [`${escape}x`, "0".repeat(32)],
      ]
    }
    await using machine = new Machine()
    const { stderr } = await build(machine, "--explain-cache", cache.publish())
    const { stdout } = await machine.run(["builder", "du"])
    for (const text of [stderr, stdout]) for (const code of ["\u001b]0", "\u009b"]) expect(text).not.toContain(code)
  })
})

describe("an exported cache", () => {
  test("holds no secret, and of links the links", async () => {
    const directory = join(skiff.directory, "secret-cache")
    mkdirSync(directory)
    chownSync(directory, user.uid, user.gid)
    const path = join(skiff.home, "token")
    writeFileSync(path, "alive-secret-token")
    chownSync(path, user.uid, user.gid)
    const text =
      `FROM ${await busyboxReference()}\nRUN --mount=type=secret,id=t,env=T --mount=type=cache,target=/c ` +
      `test -n "$T" && cat /run/secrets/t; ln -sf ${canary.path} /c/link; ln -sf ${canary.path} /link\n`
    const secret = makeContext(skiff, { Dockerfile: text })
    await skiff.ok(
      "build",
      "-q",
      "--secret",
      `id=t,src=${path}`,
      "--cache-to",
      `type=local,dest=${directory},mode=max`,
      secret,
    )
    const blobs = readdirSync(join(directory, "blobs/sha256")).map((name) =>
      readFileSync(join(directory, "blobs/sha256", name)),
    )
    const plain = blobs.map((bytes) => (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString("latin1"))
    expect(plain.some((each) => each.includes(canary.path))).toBe(true)
    for (const each of plain) expect(each).not.toMatch(/alive/)
  })
})
