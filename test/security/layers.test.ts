/** Hostile layers: refused, or all they do lands inside. */
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { readdirSync, statSync } from "node:fs"
import { gzipSync } from "node:zlib"
import { Canary } from "../support/canary.ts"
import { blobPath, HostileRegistry } from "../support/hostile-registry.ts"
import { BUSYBOX, buildImage, digestOf, json, LAYER_TYPE, MANIFEST_TYPE } from "../support/image.ts"
import { sharedRegistry } from "../support/registry.ts"
import { openStore } from "../support/store.ts"
import type { TarEntry } from "../support/tar.ts"
import { SLOWNESS } from "../support/wait.ts"

const skiff = openStore()
const canary = new Canary()
const up = `${"../".repeat(20)}${canary.path.slice(1)}`

afterEach(() => canary.check())
afterAll(() => canary.remove())

let made = 0
async function imageOf(...entries: TarEntry[]): Promise<string> {
  return (await sharedRegistry()).push(`hostile/layer-${made++}:1`, {
    ...BUSYBOX,
    layers: [...BUSYBOX.layers, { entries }],
  })
}

/** Pulls, then runs what was pulled; either may refuse, none may crash. */
async function pullAndRun(image: string): Promise<void> {
  for (const args of [
    ["pull", image],
    ["run", "--rm", image, "true"],
  ]) {
    const { code, stderr } = await skiff.run(args)
    expect(stderr).not.toMatch(/^\s+at .*\.ts|panic|segfault/im)
    if (code !== 0) expect(stderr).toMatch(/^skiff: |^[\s\S]*\nskiff: /)
  }
}

const sets: Record<string, TarEntry[]> = {
  "a name with ..": [{ name: up, content: "dead" }],
  "an absolute name": [{ name: canary.path, content: "dead" }],
  "a file through a symlink": [
    { name: "a", type: "symlink", linkName: canary.directory },
    { name: "a/canary", content: "dead" },
  ],
  "a file through a relative symlink": [
    { name: "a", type: "symlink", linkName: up.slice(0, up.lastIndexOf("/")) },
    { name: "a/canary", content: "dead" },
  ],
  "a file over a symlink": [
    { name: "a", type: "symlink", linkName: canary.path },
    { name: "a", content: "dead" },
  ],
  "a hard link to the host, then its mode": [
    { name: "a", type: "hardlink", linkName: up },
    { name: "a", content: "dead", mode: 0o4777 },
  ],
  "a hard link to an absolute name": [{ name: "a", type: "hardlink", linkName: canary.path }],
  "a hard link through a symlink": [
    { name: "s", type: "symlink", linkName: canary.directory },
    { name: "a", type: "hardlink", linkName: "s/canary" },
    { name: "a", content: "dead" },
  ],
  "a chain of 41 links": [
    ...Array.from({ length: 41 }, (_, index): TarEntry => ({
      name: `l${index}`,
      type: "symlink",
      linkName: `l${index + 1}`,
    })),
    { name: "l41", type: "symlink", linkName: canary.directory },
    { name: "l0/canary", content: "dead" },
  ],
  "a whiteout with ..": [{ name: "a/.wh...", content: "" }, { name: `${up.slice(0, up.lastIndexOf("/"))}/.wh.canary` }],
  "a whiteout through a symlink": [
    { name: "a", type: "symlink", linkName: canary.directory },
    { name: "a/.wh.canary" },
  ],
  "an opaque root": [{ name: ".wh..wh..opq" }, { name: "bin", type: "symlink", linkName: canary.directory }],
  "overlay's own attributes": [
    {
      name: "d",
      type: "directory",
      pax: { "SCHILY.xattr.trusted.overlay.redirect": "/etc", "SCHILY.xattr.user.overlay.redirect": "/etc" },
    },
  ],
  "a name with NUL and slashes": [{ name: "x\u0000y//z/./w", content: "x" }],
  "an empty name": [{ name: "", content: "x" }],
  "a directory over a link": [
    { name: "d", type: "symlink", linkName: canary.directory },
    { name: "d", type: "directory", mode: 0o700, uid: 4242 },
    { name: "d/canary", content: "dead" },
  ],
  "a huge claimed size": [{ name: "x", content: "", claimedSize: 2 ** 33 - 1 }],
}

describe("a layer with", () => {
  for (const [name, entries] of Object.entries(sets))
    test(name, async () => {
      await pullAndRun(await imageOf(...entries))
      canary.check()
      expect(readdirSync(canary.directory)).toEqual(["canary"])
      expect(await skiff.ok("run", "--rm", "busybox", "echo", "next")).toBe("next")
    })

  test("devices gives no usable one of the host", async () => {
    const image = await imageOf({ name: "disk", type: "character", device: { major: 1, minor: 1 }, mode: 0o666 })
    const { code, stdout } = await skiff.run(["run", "--rm", image, "sh", "-c", "head -c 1 /disk | wc -c"])
    expect(code === 0 ? stdout.trim() : "0").toBe("0")
  })
})

describe("bombs and broken archives", () => {
  test(
    "10 GB of zeros are stopped at a cap, and nothing stays",
    async () => {
      await using registry = await HostileRegistry.start()
      // one gzip member of 64 MB again and again: honest to unpack, endless in sum
      const member = gzipSync(Buffer.alloc(64 * 1024 * 1024))
      const bomb = Buffer.concat(Array.from({ length: 160 }, () => member))
      const image = buildImage({ layers: [{ entries: [{ name: "x", content: "x" }] }] })
      const layer = { mediaType: LAYER_TYPE, digest: digestOf(bomb), size: bomb.length }
      const manifest = json({ schemaVersion: 2, mediaType: MANIFEST_TYPE, config: image.config, layers: [layer] })
      const name = registry.image(image, { bytes: manifest })
      registry.bytes(blobPath(layer), bomb)
      const { code, stderr } = await skiff.run(["pull", name], { timeoutMs: 55_000 })
      expect(code).toBe(1)
      expect(stderr).toMatch(/skiff: /)
      expect(Number(spawnSync("du", ["-sm", skiff.root]).stdout.toString().split("\t")[0])).toBeLessThan(200)
    },
    60_000 * SLOWNESS,
  )

  for (const kind of ["truncated", "one byte changed", "longer than said"] as const)
    test(`a layer ${kind}: refused, not stored; the next pull works at once`, async () => {
      await using registry = await HostileRegistry.start()
      const image = buildImage({ layers: [{ entries: [{ name: `x-${kind}`, content: kind.repeat(5_000) }] }] })
      const name = registry.image(image)
      const [layer] = image.layers
      if (layer === undefined) throw new Error("no layer")
      const bytes = Buffer.from(image.blobs.get(layer.digest) ?? "")
      if (kind === "truncated") registry.bytes(blobPath(layer), bytes.subarray(0, bytes.length - 20))
      if (kind === "one byte changed") registry.bytes(blobPath(layer), bytes.fill(bytes[40] === 1 ? 2 : 1, 40, 41))
      if (kind === "longer than said") registry.bytes(blobPath(layer), Buffer.concat([bytes, Buffer.from("more")]))
      const { code, stderr } = await skiff.run(["pull", name])
      expect(code).toBe(1)
      expect(stderr).toMatch(/digest|size|truncated|bytes/)
      expect((await skiff.run(["inspect", name])).code).toBe(1)

      const honest = buildImage({ layers: [{ entries: [{ name: `x-${kind}`, content: kind.repeat(5_000) }] }] })
      await skiff.ok("pull", "-q", registry.image(honest))
    })

  test("a layer whose content is not its diff id is refused", async () => {
    await using registry = await HostileRegistry.start()
    const image = buildImage({ layers: [{ entries: [{ name: "honest", content: "x" }] }] })
    const other = buildImage({ layers: [{ entries: [{ name: "other", content: "y" }] }] })
    const [layer] = other.layers
    if (layer === undefined) throw new Error("no layer")
    const manifest = json({ schemaVersion: 2, mediaType: MANIFEST_TYPE, config: image.config, layers: other.layers })
    const name = registry.image(image, { bytes: manifest })
    registry.bytes(blobPath(layer), other.blobs.get(layer.digest) ?? "")
    const { code, stderr } = await skiff.run(["pull", name])
    expect(code).toBe(1)
    expect(stderr).toContain(image.diffIds[0] ?? "no diff id")
  })
})

test("the store is closed to other users", () => {
  for (const path of [skiff.root, skiff.runRoot]) expect(statSync(path).mode & 0o777).toBe(0o700)
})
