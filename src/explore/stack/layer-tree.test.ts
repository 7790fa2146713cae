import { expect, test } from "bun:test"
import { openLayers, type TestEntry } from "../explore.suite.ts"
import type { TreeNode } from "../explore.ts"

const base: readonly TestEntry[] = [
  { name: "etc/" },
  { name: "etc/kept", text: "kept" },
  { name: "etc/changed", text: "old" },
  { name: "etc/removed", text: "gone" },
  { name: "lib/" },
  { name: "lib/a", text: "aaaa" },
  { name: "lib/deep/b", text: "bb" },
  { name: "opt/x", text: "1" },
  { name: "same/f", text: "f" },
]
const upper: readonly TestEntry[] = [
  { name: "etc/" },
  { name: "etc/changed", text: "newer" },
  { name: "etc/.wh.removed" },
  { name: "etc/added", text: "+" },
  { name: ".wh.opt" },
  { name: "lib/" },
  { name: "lib/.wh..wh..opq" },
  { name: "lib/a", text: "aaaa" },
  { name: "same/" },
  { name: "same/f", text: "f" },
]

const shown = (nodes: readonly TreeNode[]) =>
  nodes.map(({ name, change, sizeBytes }) => `${change} ${name} ${sizeBytes}`)

test("children() say what a layer adds, changes and removes, and what it leaves as it was", async () => {
  await using image = await openLayers([base, upper])
  const tree = image.tree({ since: 1, upTo: 1 })
  expect(shown(tree.children(""))).toEqual(["modified etc 10", "modified lib 4", "removed opt 1", "modified same 1"])
  expect(shown(tree.children("etc"))).toEqual([
    "added added 1",
    "modified changed 5",
    "unmodified kept 4",
    "removed removed 4",
  ])
  expect(shown(tree.children("lib"))).toEqual(["unmodified a 4", "removed deep 2"])
  expect(shown(tree.children("opt"))).toEqual(["removed x 1"])
  expect(shown(tree.children("same"))).toEqual(["unmodified f 1"])
  expect(tree.node("etc/removed")?.layer).toBe(1)
  expect(tree.node("etc/kept")?.layer).toBe(0)
  expect(tree.node("no/such")).toBeUndefined()
})

test("a tree of all layers is what a container sees: a file in a directory's place hides what was in it", async () => {
  await using image = await openLayers([[{ name: "d/inner", text: "1" }], [{ name: "d", text: "file" }]])
  const all = image.tree({ since: 0, upTo: 1 })
  expect(shown(all.children(""))).toEqual(["added d 4"])
  expect(all.children("d")).toEqual([])
  expect(image.tree({ since: 1, upTo: 1 }).node("d")?.change).toBe("modified")
})

test("a tree of one layer alone shows its whiteouts as removed", async () => {
  await using image = await openLayers([base, upper])
  const tree = image.tree({ since: 1, upTo: 1, alone: true })
  expect(tree.children("").map(({ name, change }) => `${change} ${name}`)).toEqual([
    "added etc",
    "added lib",
    "removed opt",
    "added same",
  ])
  expect(tree.children("etc").map(({ name, change }) => `${change} ${name}`)).toContain("removed removed")
})

test("what a layer adds and a later one takes away is removed, what comes again is compared with what was", async () => {
  await using image = await openLayers([
    [{ name: "a", text: "1" }],
    [{ name: "new", text: "2" }, { name: ".wh.a" }],
    [{ name: ".wh.new" }, { name: "a", text: "1" }],
  ])
  expect(shown(image.tree({ since: 1, upTo: 2 }).children(""))).toEqual(["unmodified a 1", "removed new 1"])
})

test("matches() finds by the shown path, and stops at its limit", async () => {
  await using image = await openLayers([[{ name: "a/\u001b[31m", text: "" }, { name: "a/b" }, { name: "b" }]])
  const tree = image.tree({ since: 0, upTo: 0 })
  const found = async (expression: Pick<RegExp, "test">, limit?: number) =>
    (await Array.fromAsync(tree.matches(expression, limit === undefined ? {} : { limit }))).map(({ path }) => path)
  expect(await found(/b$/)).toEqual(["a/b", "b"])
  expect(await found(/u001b/)).toEqual(["a/\u001b[31m"])
  expect(await found(/./, 2)).toHaveLength(2)
})

test("read() gives a file of one layer, by any of its names, and what is no file it names", async () => {
  await using image = await openLayers([
    [
      { name: "f", text: "hello world" },
      { name: "g", type: "hardlink", linkName: "./f" },
      { name: "l", type: "symlink", linkName: "/f" },
      { name: "x", type: "hardlink", linkName: "y" },
      { name: "y", type: "hardlink", linkName: "x" },
    ],
  ])
  const part = await image.read(0, "g", { offset: 6, length: 3 })
  expect([Buffer.from(part.bytes).toString(), part.sizeBytes]).toEqual(["wor", 11])
  expect(image.entry(0, "g")?.contentDigest).toBe(image.entry(0, "f")?.contentDigest ?? "none")
  await expect(image.read(0, "l")).rejects.toMatchObject({ code: "InvalidArgument" })
  await expect(image.read(0, "x")).rejects.toMatchObject({ code: "InvalidArgument" })
  await expect(image.read(0, "none")).rejects.toMatchObject({ code: "NotFound" })
})
