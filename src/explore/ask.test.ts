import { expect, test } from "bun:test"
import { lstatSync, readFileSync, readlinkSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { openLayers } from "./explore.suite.ts"
import { tempDirectory } from "../../test/support/temp-directory.ts"

test("history() tells what each layer did to a path, also by what is above it", async () => {
  await using image = await openLayers([
    [{ name: "etc/" }, { name: "etc/f", text: "1" }],
    [{ name: "other" }],
    [{ name: "etc/" }, { name: "etc/f", text: "2" }],
    [{ name: "etc/" }, { name: "etc/f", text: "2" }],
    [{ name: ".wh.etc" }],
    [{ name: "etc/f", text: "3" }],
  ])
  expect(image.history("etc/f").map(({ layer, change }) => `${layer} ${change}`)).toEqual([
    "0 added",
    "2 modified",
    "3 same",
    "4 removed",
    "5 added",
  ])
  expect(image.history("no")).toEqual([])
})

test("search() finds a text once a line, in what a container sees or in one layer", async () => {
  await using image = await openLayers([
    [
      { name: "gone", text: "a needle" },
      { name: "text", text: "one\nneedle needle\nthree\nneedle" },
    ],
    [{ name: ".wh.gone" }, { name: "binary", text: "\0\0needle" }],
  ])
  const found = async (layer?: number) =>
    (await Array.fromAsync(image.search("needle", layer === undefined ? {} : { layer }))).map(
      ({ path, line, text, offset }) => `${path}:${line ?? `@${offset}`}${text === undefined ? "" : `:${text}`}`,
    )
  expect(await found()).toEqual(["binary:@2", "text:2:needle needle", "text:4:needle"])
  expect(await found(0)).toEqual(["gone:1:a needle", "text:2:needle needle", "text:4:needle"])
  expect(await Array.fromAsync(image.search("needle", { limit: 1 }))).toHaveLength(1)
})

test("compare() gives one line for what came, went or changed", async () => {
  await using before = await openLayers([
    [{ name: "a/x", text: "1" }, { name: "gone/y", text: "22" }, { name: "mode" }],
  ])
  await using after = await openLayers([
    [{ name: "a/x", text: "1" }],
    [
      { name: "new/z", text: "333" },
      { name: "mode", mode: 0o600 },
    ],
  ])
  const differences = await Array.fromAsync(before.compare(after))
  expect(
    differences.map(({ path, change, beforeBytes, afterBytes }) => [change, path, beforeBytes, afterBytes]),
  ).toEqual([
    ["removed", "gone", 2, 0],
    ["modified", "mode", 0, 0],
    ["added", "new", 0, 3],
  ])
  expect(await Array.fromAsync(before.compare(before))).toEqual([])
})

test("extract() writes what a container sees, links as links, and nothing over or through what is there", async () => {
  await using image = await openLayers([
    [
      { name: "d/f", text: "old", mode: 0o4755 },
      { name: "d/removed" },
      { name: "d/l", type: "symlink", linkName: "/etc/passwd" },
    ],
    [{ name: "d/f", text: "new", mode: 0o4755 }, { name: "d/.wh.removed" }, { name: "d/pipe", type: "fifo" }],
  ])
  const to = tempDirectory("extract-")
  expect(await image.extract("d", to)).toEqual({ files: 2, bytes: 3, leftOut: ["d/pipe"] })
  expect(readFileSync(join(to, "d/f"), "utf8")).toBe("new")
  expect(lstatSync(join(to, "d/f")).mode & 0o7777).toBe(0o755)
  expect(readlinkSync(join(to, "d/l"))).toBe("/etc/passwd")
  expect(lstatSync(join(to, "d/removed"), { throwIfNoEntry: false })).toBeUndefined()
  await expect(image.extract("d", to)).rejects.toMatchObject({ code: "AlreadyExists" })
  const other = tempDirectory("extract-")
  symlinkSync("/nowhere", join(other, "f"))
  await expect(image.extract("d/f", other)).rejects.toMatchObject({ code: "AlreadyExists" })
  expect(lstatSync("/nowhere", { throwIfNoEntry: false })).toBeUndefined()
})

test("largest() and duplicates() count each content once, wherever it is", async () => {
  const big = "x".repeat(3000)
  await using image = await openLayers([
    [
      { name: "a", text: big },
      { name: "b", text: big },
      { name: "l", type: "hardlink", linkName: "a" },
    ],
    [
      { name: "a", text: big },
      { name: "c", text: "y".repeat(2000) },
    ],
  ])
  expect((await image.largest(5)).map(({ path, layer }) => `${layer} ${path}`)).toEqual(["0 a", "1 c"])
  const [same, ...more] = await image.duplicates(5)
  expect(more).toEqual([])
  expect([same?.count, same?.sizeBytes, same?.files.map(({ layer, path }) => `${layer} ${path}`)]).toEqual([
    3,
    3000,
    ["0 a", "0 b", "1 a"],
  ])
})

test("packages() says that an image elsewhere has none to be read, and does not tell of nothing", async () => {
  await using image = await openLayers([[{ name: "var/lib/dpkg/status", text: "Package: a" }]])
  await expect(image.packages()).rejects.toThrow("is elsewhere")
})
