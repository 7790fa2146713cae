import { afterAll, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { open } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { tar, type TarEntry } from "../../test/support/tar.ts"
import { indexArchive, type ArchiveFiles } from "./archive-files.ts"
import { openDirectory } from "./directory-files.ts"

const directory = mkdtempSync(join(tmpdir(), "skiff-archive-"))
afterAll(() => rmSync(directory, { recursive: true }))

async function indexed(bytes: Uint8Array): Promise<ArchiveFiles> {
  const path = join(directory, "archive.tar")
  writeFileSync(path, bytes)
  return await indexArchive(await open(path, "r"))
}
const text = async (files: ArchiveFiles, name: string, offset?: number) =>
  Buffer.concat(await Array.fromAsync(files.read(name, offset))).toString()
const failure = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) })

describe("the files of an archive", () => {
  test("are read from any offset, whatever kind of header their name needs", async () => {
    const long = `${"d".repeat(90)}/${"e".repeat(90)}/ä`
    const made = join(directory, "tree")
    mkdirSync(join(made, long, ".."), { recursive: true })
    const content = "0123456789".repeat(300_000)
    writeFileSync(join(made, long), content)
    writeFileSync(join(made, "empty"), "")
    for (const format of ["gnu", "pax", "ustar"]) {
      const path = join(directory, `${format}.tar`)
      const { status } = spawnSync("tar", [`--format=${format}`, "-cf", path, "-C", made, "."])
      if (status !== 0) continue // what ustar cannot name, GNU tar refuses
      await using files = await indexArchive(await open(path, "r"))
      expect(files.size(long)).toBe(content.length)
      expect(await text(files, long)).toBe(content)
      expect(await text(files, long, 2_999_995)).toBe("56789")
      expect(await text(files, "empty")).toBe("")
    }
  })

  test("are found by links within it, as docker and podman write them", async () => {
    const entries: TarEntry[] = [
      { name: "a/layer.tar", content: "layer" },
      { name: "b/layer.tar", type: "symlink", linkName: "../a/layer.tar" },
      { name: "c/layer.tar", type: "symlink", linkName: "../b/layer.tar" },
      { name: "hard", type: "hardlink", linkName: "a/layer.tar" },
      { name: "dangling", type: "symlink", linkName: "nowhere" },
    ]
    await using files = await indexed(tar(entries))
    for (const name of ["a/layer.tar", "b/layer.tar", "c/layer.tar", "hard"])
      expect(await text(files, name)).toBe("layer")
    expect(files.has("dangling")).toBe(false)
    expect(files.has("a")).toBe(false)
    expect(() => files.size("none")).toThrow(failure("NotFound", /no file "none"/))
  })

  test("lie where the reader says, in archives of any shape", async () => {
    for (let round = 0; round < 50; round++) {
      const sizes = Array.from({ length: 5 }, () => Math.floor(Math.random() * 3_000))
      const entries = sizes.map((size, index): TarEntry => ({
        name: `${index}`,
        content: String(index).repeat(size),
        ...(Math.random() < 0.3 ? { pax: { comment: "x".repeat(Math.floor(Math.random() * 2_000)) } } : {}),
      }))
      await using files = await indexed(tar(entries))
      for (const [index, size] of sizes.entries())
        expect(await text(files, `${index}`)).toBe(String(index).repeat(size))
    }
  })

  test("are refused together when two have one name, one leads out, or the archive is cut", async () => {
    const twice = indexed(tar([{ name: "a" }, { name: "./a" }]))
    await expect(twice).rejects.toEqual(failure("InvalidArgument", /two files "a"/))
    await expect(indexed(tar([{ name: "../a" }]))).rejects.toEqual(failure("InvalidArgument", /could lead outside/))
    const cut = tar([{ name: "a", content: "x".repeat(2_000) }]).subarray(0, 1_500)
    await expect(indexed(cut)).rejects.toEqual(failure("DataLoss", /truncated/))
    await expect(indexed(Buffer.alloc(2_000, "x"))).rejects.toEqual(failure("InvalidArgument", /no tar archive/))
    await using out = await indexed(tar([{ name: "a", type: "symlink", linkName: "../../etc/passwd" }]))
    expect(() => out.has("a")).toThrow(failure("InvalidArgument", /outside of it/))
  })
})

test("the files of a directory are read inside it alone", async () => {
  const path = join(directory, "files")
  mkdirSync(join(path, "sub"), { recursive: true })
  writeFileSync(join(path, "sub/f"), "content")
  spawnSync("ln", ["-s", "/etc/hostname", join(path, "out")])
  spawnSync("ln", ["-s", "/sub/f", join(path, "in")])
  spawnSync("mkfifo", [join(path, "fifo")])
  await using files = openDirectory(path)
  expect(await text(files, "sub/f", 3)).toBe("tent")
  expect(await text(files, "in")).toBe("content")
  expect(files.has("out")).toBe(false)
  expect(files.has("../files/sub/f")).toBe(false)
  expect(() => files.size("fifo")).toThrow(failure("InvalidArgument", /no regular file/))
})
