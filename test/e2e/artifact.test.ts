/** `artifact`: files into the store, to a registry, and out again. One user is enough. */
import { describe, expect, test } from "bun:test"
import { chownSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { BUSYBOX } from "../support/image.ts"
import { sharedRegistry } from "../support/registry.ts"
import { Skiff } from "../support/skiff.ts"
import { openStore } from "../support/store.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const registry = await sharedRegistry()
const place = (name: string) => join(skiff.home, name)

/** A file of the user's. */
function file(name: string, content: string | Uint8Array): string {
  writeFileSync(place(name), content)
  chownSync(place(name), user.uid, user.gid)
  return place(name)
}
function directory(name: string): string {
  mkdirSync(place(name), { recursive: true })
  chownSync(place(name), user.uid, user.gid)
  return place(name)
}
const inspect = async (name: string, from = skiff) =>
  JSON.parse(await from.ok("artifact", "inspect", name)) as {
    Manifest: {
      artifactType: string
      layers: { mediaType: string; size: number; annotations: Record<string, string> }[]
    }
    Name: string
    Digest: string
  }

describe("artifact", () => {
  test("files are added, shown, extracted and removed", async () => {
    const [one, two] = [file("one.txt", "first\n"), file("two.bin", new Uint8Array(100_000))]
    const digest = await skiff.ok(
      "artifact",
      "add",
      "--type",
      "application/vnd.example",
      "--annotation",
      "k=v",
      "life/a:1",
      one,
    )
    expect(digest).toMatch(/^[0-9a-f]{64}$/)
    await skiff.ok("artifact", "add", "--append", "life/a:1", two)
    const { Manifest, Name } = await inspect("life/a:1")
    expect([Name, Manifest.artifactType]).toEqual(["localhost/life/a:1", "application/vnd.example"])
    expect(Manifest.layers.map(({ mediaType, size, annotations }) => [mediaType, size, annotations])).toEqual([
      ["text/plain; charset=utf-8", 6, { "org.opencontainers.image.title": "one.txt", k: "v" }],
      ["application/octet-stream", 100_000, { "org.opencontainers.image.title": "two.bin" }],
    ])
    expect(await skiff.ok("artifact", "ls", "--format", "{{.Repository}}:{{.Tag}} {{.Size}}")).toContain(
      "localhost/life/a:1 100kB",
    )
    const out = directory("out")
    await skiff.ok("artifact", "extract", "life/a:1", out)
    expect(readFileSync(join(out, "one.txt"), "utf8")).toBe("first\n")
    expect(readFileSync(join(out, "two.bin")).length).toBe(100_000)
    await skiff.ok("artifact", "extract", "--title", "one.txt", "life/a:1", place("single"))
    expect(readFileSync(place("single"), "utf8")).toBe("first\n")
    await skiff.ok("artifact", "rm", "life/a:1")
    expect(await skiff.ok("artifact", "ls", "-q")).not.toContain("life/a")
  })

  test("what is wrong is said, and nothing is changed", async () => {
    const one = file("wrong.txt", "x")
    await skiff.ok("artifact", "add", "wrong/a", one)
    const refused = async (...args: string[]) => {
      const { code, stderr } = await skiff.run(["artifact", ...args])
      expect(code).toBe(125)
      return stderr
    }
    expect(await refused("add", "wrong/a", one)).toContain("artifact already exists")
    expect(await refused("add", "--append", "wrong/a", one)).toContain("file already exists in artifact")
    expect(await refused("add", "--append", "wrong/none", one)).toContain("artifact does not exist")
    expect(await refused("add", "wrong/b", place("nowhere"))).toContain("no such file or directory")
    expect(await refused("add", "wrong/b", skiff.home)).toContain("is not a regular file")
    expect(await refused("inspect", "wrong/none")).toContain("artifact does not exist")
    expect(await refused("extract", "--title", "none", "wrong/a", directory("w"))).toContain("has no file none")
    const taken = directory("taken")
    symlinkSync("/etc/passwd", join(taken, "wrong.txt"))
    expect(await refused("extract", "wrong/a", taken)).toContain("is there already")
    expect(await refused("rm")).toContain("must be specified")
    expect((await skiff.run(["artifact", "rm", "--ignore", "wrong/none"])).code).toBe(0)
    await skiff.ok("artifact", "rm", "--all")
  })

  test("is pushed, and pulled into another store, byte for byte; no prune takes its bytes away", async () => {
    const content = Buffer.alloc(3_000_000, "artifact ")
    const name = `${registry.host}/models/small:1`
    await skiff.ok("artifact", "add", name, file("weights", content))
    await skiff.ok("artifact", "push", "-q", name)
    await skiff.ok("system", "prune", "-af")
    const other = new Skiff()
    try {
      await other.ok("artifact", "pull", "-q", name)
      expect((await inspect(name, other)).Digest).toBe((await inspect(name)).Digest)
      await other.ok("artifact", "extract", name, join(other.home, "weights"))
      expect(readFileSync(join(other.home, "weights")).equals(content)).toBe(true)
    } finally {
      await other.close()
    }
    // after the prune, which took the image of the other tests
    const image = await registry.push("images/busybox:1", BUSYBOX)
    const wrong = await skiff.run(["artifact", "pull", image])
    expect([wrong.code, wrong.stderr]).toEqual([125, expect.stringContaining("is an image, not an artifact")])
  })

  test("whose titles lead out of the directory is not extracted", async () => {
    const name = `${registry.host}/hostile/title:1`
    await skiff.ok(
      "artifact",
      "add",
      "--annotation",
      "org.opencontainers.image.title=../escaped",
      name,
      file("harmless", "x"),
    )
    const out = directory("hostile")
    const { code, stderr } = await skiff.run(["artifact", "extract", name, out])
    expect([code, stderr]).toEqual([125, expect.stringContaining("is no name")])
    expect(() => readFileSync(place("escaped"))).toThrow()
  })
})
