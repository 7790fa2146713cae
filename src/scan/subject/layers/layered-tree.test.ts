import { describe, expect, test } from "bun:test"
import { closeSync, openSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { tar, type TarEntry } from "../../../../test/support/tar.ts"
import { tempDirectory } from "../../../../test/support/temp-directory.ts"
import { layOver, newDirectory } from "./file-node.ts"
import { LayeredTree } from "./layered-tree.ts"
import { LayerReader } from "./layer-reader.ts"

/** What is seen of layers, and each of them alone. */
function layered(layers: readonly (readonly TarEntry[])[], namesLeft = 1_000) {
  const stack = new DisposableStack()
  const directory = tempDirectory("skiff-layered-")
  const names = { left: namesLeft }
  const seen = newDirectory("", 0)
  const files = layers.map((entries, index) => {
    const bytes = tar(entries)
    const path = join(directory, `${index}`)
    writeFileSync(path, Buffer.concat([Buffer.from("before"), bytes]))
    const fd = openSync(path, "r")
    stack.defer(() => closeSync(fd))
    const reader = new LayerReader(index, names)
    // pieces of any size
    for (let at = 0; at < bytes.length; at += 700) reader.write(bytes.subarray(at, at + 700))
    reader.finish()
    layOver(seen, reader.root)
    return { root: reader.root, file: { fd, at: 6 } }
  })
  const places = files.map(({ file }) => file)
  return {
    tree: new LayeredTree(seen, places),
    alone: (index: number) => new LayeredTree(files[index]?.root ?? seen, places),
    [Symbol.dispose]: () => stack.dispose(),
  }
}

/** Too long for a header without pax. */
function deep(depth: number): TarEntry {
  return { name: "f", pax: { path: `${"d/".repeat(depth)}f` } }
}

/** Each file with its text, by path. */
function texts(tree: LayeredTree): string[] {
  return [...tree.walk()].flatMap((entry) => {
    const pieces: Uint8Array[] = []
    if (!entry.chunks((bytes) => void pieces.push(Uint8Array.from(bytes)))) return []
    const text = Buffer.concat(pieces).toString()
    expect(entry.read(1_000)?.toString()).toBe(text)
    expect(entry.at((file) => file.read(1, 2).toString())).toBe(text.slice(1, 3))
    return [`${entry.path} ${text}`]
  })
}

function refused(entries: TarEntry[], namesLeft = 100): () => void {
  return () => layered([entries], namesLeft)[Symbol.dispose]()
}

describe("layers one over the other", () => {
  test("what a layer has goes before what is below; whiteouts and opaque directories hide that", () => {
    using image = layered([
      [
        { name: "etc/", type: "directory", mode: 0o700 },
        { name: "etc/a", content: "lower a" },
        { name: "etc/b", content: "lower b" },
        { name: "etc/gone", content: "gone" },
        { name: "opt/x/y", content: "hidden" },
        { name: "was-directory/f", content: "f" },
        { name: "was-file", content: "file" },
      ],
      [
        { name: "./etc/b", content: "upper b", mode: 0o4755 },
        { name: "etc/.wh.gone" },
        { name: "opt/x/.wh..wh..opq" },
        { name: "opt/x/z", content: "z" },
        { name: "was-directory", content: "now a file" },
        { name: "was-file/in", content: "in" },
        { name: ".wh..wh.aufs", content: "aufs" },
      ],
      [
        { name: "etc/c", content: "twice" },
        { name: "etc/c", content: "last" },
      ],
    ])
    expect(texts(image.tree)).toEqual([
      "etc/a lower a",
      "etc/b upper b",
      "etc/c last",
      "opt/x/z z",
      "was-directory now a file",
      "was-file/in in",
    ])
    // a directory that is only gone through keeps what was said of it
    expect(image.tree.node("etc")).toMatchObject({ mode: 0o700, layer: 0 })
    expect(image.tree.node("etc/b")).toMatchObject({ mode: 0o4755, layer: 1 })
    expect(texts(image.alone(0))).toHaveLength(6)
    expect(texts(image.alone(1)).map((line) => line.split(" ")[0])).toEqual([
      "etc/b",
      "opt/x/z",
      "was-directory",
      "was-file/in",
    ])
  })

  test("links lead inside alone, and not for ever", () => {
    using image = layered([
      [
        { name: "usr/lib/os-release", content: "ID=x" },
        { name: "lib", type: "symlink", linkName: "usr/lib" },
        { name: "etc/os-release", type: "symlink", linkName: "../../../../usr/lib/os-release" },
        { name: "absolute", type: "symlink", linkName: "/lib/os-release" },
        { name: "loop", type: "symlink", linkName: "loop" },
        { name: "hard", type: "hardlink", linkName: "usr/lib/os-release" },
        { name: "pipe", type: "fifo" },
      ],
    ])
    const { tree } = image
    for (const path of ["etc/os-release", "/absolute", "lib/../lib/os-release", "hard", "../hard"])
      expect(tree.read(path, 100)?.toString()).toBe("ID=x")
    for (const path of ["loop", "pipe", "lib", "nowhere/x", "hard/x"]) expect(tree.read(path, 100)).toBeUndefined()
    expect(tree.names("lib")).toEqual(["os-release"])
    expect(tree.open("hard", 100)?.read(3, 10).toString()).toBe("x")
    expect(tree.node("hard")).toMatchObject({ links: 2, type: "file" })
    // a link is none of what is walked into
    expect([...tree.walk()].map(({ path }) => path)).toEqual([
      "absolute",
      "etc",
      "etc/os-release",
      "hard",
      "lib",
      "loop",
      "pipe",
      "usr",
      "usr/lib",
      "usr/lib/os-release",
    ])
  })

  test("what is large or deep is left out, and named", () => {
    using image = layered([[{ name: "large", content: "x".repeat(2_000) }, deep(140)]], 10_000)
    expect([...image.tree.walk()].flatMap((entry) => entry.read(1_000) ?? [])).toEqual([])
    expect(image.tree.leftOut).toEqual(["/large, which is too large", `${"/d".repeat(129)}, which lies too deep`])
  })

  test("what cannot be read in place, or is too much, is refused", () => {
    expect(refused([{ name: "a", type: "hardlink", linkName: "nowhere" }])).toThrow("hard link")
    expect(
      refused(
        Array.from({ length: 20 }, (_, index) => ({ name: `${index}` })),
        10,
      ),
    ).toThrow("too many names")
    expect(refused([deep(400)], 1_000)).toThrow("too many directories")
    expect(refused([{ name: "../a" }])).toThrow("could lead outside")
    expect(refused([{ name: "a", claimedSize: 10 ** 6 }])).toThrow()
  })
})
