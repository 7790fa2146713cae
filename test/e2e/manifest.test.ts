/**
 * `manifest` and `buildx imagetools`: lists of this store's images and of a registry's, and what others make of them.
 *
 * One user is enough.
 */
import { afterAll, describe, expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { noPodman, startPodman } from "../support/other-engines.ts"
import { sharedRegistry } from "../support/registry.ts"
import { Skiff } from "../support/skiff.ts"
import { openStore, testUnless } from "../support/store.ts"

const skiff = openStore()
const registry = await sharedRegistry()
const podman = noPodman === false ? startPodman() : undefined
afterAll(() => podman?.stop(), 60_000)

interface Entry {
  digest: string
  mediaType: string
  annotations?: Record<string, string>
  platform: { os: string; architecture: string; variant?: string; "os.version"?: string; features?: string[] }
}
interface Index {
  mediaType: string
  manifests: Entry[]
  annotations?: Record<string, string>
}
const at = (name: string) => `${registry.host}/${name}`
const inspect = async (name: string) => JSON.parse(await skiff.ok("manifest", "inspect", name)) as Index
const idOf = (name: string) => skiff.ok("image", "inspect", "-f", "{{.Id}}", name)

/** An image of our own at the registry, whose name is all that tells it from others. */
async function pushed(name: string): Promise<string> {
  await skiff.ok("run", "--name", "maker", "--network", "none", "busybox", "sh", "-c", `echo ${name} > /name`)
  await skiff.ok("commit", "maker", `${name}:1`)
  await skiff.ok("rm", "maker")
  await skiff.ok("tag", `${name}:1`, at(`${name}:1`))
  await skiff.ok("push", "-q", at(`${name}:1`))
  return at(`${name}:1`)
}

describe("manifest", () => {
  test("a list of a local and of a registry's image is pushed as one, and pulled by platform", async () => {
    const remote = await pushed("remote")
    await skiff.ok("tag", "busybox", "local:1")
    expect(await skiff.ok("manifest", "create", "both:1")).toBe("Created manifest list localhost/both:1")
    expect(await skiff.ok("manifest", "add", "both:1", "local:1")).toMatch(/^sha256:[0-9a-f]{64}$/)
    const digest = await skiff.ok(
      "manifest",
      "add",
      "--arch",
      "arm64",
      "--variant",
      "v8",
      "both:1",
      `docker://${remote}`,
    )
    await skiff.ok("manifest", "annotate", "--annotation", "com.example.note=by hand", "both:1", digest)
    const { manifests } = await inspect("both:1")
    expect(manifests.map(({ platform }) => platform.architecture)).toEqual([
      process.arch === "x64" ? "amd64" : "arm64",
      "arm64",
    ])
    expect(manifests[1]).toMatchObject({ platform: { variant: "v8" }, annotations: { "com.example.note": "by hand" } })

    const file = join(skiff.directory, "home", "digest")
    const out = await skiff.ok("manifest", "push", "--digestfile", file, "both:1", at("lists/both:1"))
    expect(out).toMatch(/^sha256:[0-9a-f]{64}$/)
    const there = await inspect(at("lists/both:1"))
    expect(there.manifests).toHaveLength(2)
    expect(there.manifests[1]?.digest).toBe(digest)
    const other = new Skiff()
    try {
      await other.ok("pull", "-q", at("lists/both:1"))
      expect(await other.ok("image", "inspect", "-f", "{{.Id}}", at("lists/both:1"))).toBe(await idOf("busybox"))
      // whose config says what it truly is
      const other64 = await other.run(["pull", "-q", "--platform", "linux/arm64", at("lists/both:1")])
      expect(other64.stderr).toContain("wanted linux/arm64")
    } finally {
      await other.close()
    }
  })

  test("what is named is found, changed, taken out and removed; what is not is an error", async () => {
    const one = await pushed("one")
    await skiff.ok("manifest", "create", "life:1", one)
    expect((await skiff.run(["manifest", "create", "life:1"])).stderr).toContain("is there already")
    expect(await skiff.ok("manifest", "create", "--amend", "--annotation", "a=b", "life:1", "busybox")).toContain(
      "life:1",
    )
    expect((await inspect("life:1")).annotations).toEqual({ a: "b" })
    expect((await skiff.run(["manifest", "exists", "life:1"])).code).toBe(0)
    expect((await skiff.run(["manifest", "exists", "death:1"])).code).toBe(1)
    await skiff.ok("manifest", "annotate", "--os-version", "10.0", "--features", "sse4,avx", "life:1", one)
    const [first] = (await inspect("life:1")).manifests
    expect(first?.platform).toMatchObject({ "os.version": "10.0", features: ["sse4", "avx"] })
    await skiff.ok("manifest", "remove", "life:1", first?.digest ?? "")
    expect((await inspect("life:1")).manifests).toHaveLength(1)
    const gone = await skiff.run(["manifest", "remove", "life:1", first?.digest ?? ""])
    expect([gone.code, gone.stderr]).toEqual([125, expect.stringContaining("is in the manifest list")])
    expect(await skiff.ok("manifest", "rm", "life:1")).toBe("Untagged: localhost/life:1")
    expect((await skiff.run(["manifest", "rm", "life:1"])).code).not.toBe(0)
    expect((await skiff.run(["manifest", "rm", "--ignore", "life:1"])).code).toBe(0)
    const nowhere = await skiff.run(["manifest", "add", "life:1", "busybox"])
    expect([nowhere.code, nowhere.stderr]).toEqual([125, expect.stringContaining('no such manifest list: "life:1"')])
  })

  test("an image at a registry is shown as it is there, with all of it by --verbose", async () => {
    const name = await pushed("shown")
    expect(JSON.parse(await skiff.ok("manifest", "inspect", name))).toMatchObject({
      schemaVersion: 2,
      layers: [{}, {}],
    })
    const verbose = JSON.parse(await skiff.ok("manifest", "inspect", "-v", name)) as { Ref: string; Descriptor: object }
    expect(verbose).toMatchObject({ Ref: name, Descriptor: { size: expect.any(Number) } })
    const none = await skiff.run(["manifest", "inspect", at("none:1")])
    expect([none.code, none.stderr]).toEqual([125, expect.stringContaining("none")])
  })

  testUnless(podman === undefined && (noPodman || "no podman here"))(
    "podman pulls what was pushed, and its list is read",
    async () => {
      const mine = await pushed("mine")
      await skiff.ok("manifest", "create", "shared:1", mine)
      await skiff.ok("manifest", "push", "--rm", "shared:1", at("lists/shared:1"))
      expect((await skiff.run(["manifest", "exists", "shared:1"])).code).toBe(1)
      podman?.ok("pull", ...(podman?.pullFlags ?? []), at("lists/shared:1"))
      expect(podman?.ok("run", ...(podman?.runFlags ?? []), at("lists/shared:1"), "cat", "/name")).toBe("mine")
      podman?.ok("manifest", "create", "theirs:1")
      podman?.ok("manifest", "add", "--tls-verify=false", "theirs:1", `docker://${mine}`)
      podman?.ok("manifest", "push", "--all", "--tls-verify=false", "theirs:1", `docker://${at("lists/theirs:1")}`)
      await skiff.ok("pull", "-q", at("lists/theirs:1"))
      expect(await idOf(at("lists/theirs:1"))).toBe(await idOf("mine:1"))
    },
  )
})

describe("buildx imagetools", () => {
  test("create makes an index of what is at registries, of one repository or of several", async () => {
    const [left, right] = [await pushed("left"), await pushed("right")]
    const dry = JSON.parse(await skiff.ok("buildx", "imagetools", "create", "--dry-run", left, right)) as Index
    expect(dry.manifests).toHaveLength(2)
    const sources = join(skiff.directory, "home", "sources")
    writeFileSync(sources, `${right}\n\n`, { mode: 0o644 })
    const target = at("tools/index:1")
    await skiff.ok("buildx", "imagetools", "create", "-t", target, "--annotation", "k=v", left)
    expect((await inspect(target)).manifests).toHaveLength(1)
    const line = await skiff.ok("buildx", "imagetools", "create", "-t", target, "--append", "-f", sources)
    const shown = await skiff.ok("buildx", "imagetools", "inspect", target)
    expect(shown).toContain(`Name:      ${target}`)
    expect(shown).toContain(line.slice(line.indexOf("sha256:")))
    expect(shown.match(/ {2}Name: /g)).toHaveLength(2)
    const raw = await skiff.ok("buildx", "imagetools", "inspect", "--raw", target)
    expect((JSON.parse(raw) as Index).manifests.map(({ digest }) => digest)).toEqual(
      dry.manifests.map(({ digest }) => digest),
    )
    const told = (format: string) => skiff.ok("buildx", "imagetools", "inspect", "--format", format, target)
    expect(await told("{{.Manifest.Digest}}")).toBe(line.slice(line.indexOf("sha256:")))
    expect(JSON.parse(await told("{{json .Manifest}}"))).toMatchObject({
      mediaType: expect.any(String),
      manifests: [{}, {}],
    })
    const none = await skiff.run(["buildx", "imagetools", "create", left])
    expect(none.stderr).toContain("--tag")
  })
})
