import { describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { encodeTarHeader } from "../../archive/tar-writer.ts"
import { openLayers, tarOf, type TestEntry } from "../explore.suite.ts"
import { tempDirectory } from "../../../test/support/temp-directory.ts"

const layer: readonly TestEntry[] = [
  { name: "b/", mode: 0o1777, uid: 7, gid: 8 },
  { name: "b/file", text: "contents", mode: 0o4755 },
  { name: "b/\xff\x1b", text: "raw" },
  { name: "a/link", type: "symlink", linkName: "../b/file" },
  { name: "a/dev", type: "character", device: { major: 1, minor: 3 } },
  {
    name: "ping",
    attributes: new Map([["security.capability", Buffer.from("0100000200200000000000000000000000000000", "hex")]]),
  },
]
const directory = () => tempDirectory("explore-index-")

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex")
}

test("an index tells of a layer what its archive does", async () => {
  await using image = await openLayers([layer])
  expect(image.entry(0, "b")).toMatchObject({ type: "directory", mode: 0o1777, uid: 7, gid: 8, isImplied: false })
  expect(image.entry(0, "b/file")).toMatchObject({
    mode: 0o4755,
    sizeBytes: 8,
    contentDigest: createHash("sha256").update("contents").digest("hex"),
  })
  expect(image.entry(0, "a")).toMatchObject({ isImplied: true, mode: 0 })
  expect(image.entry(0, "a/link")).toMatchObject({ type: "symlink", linkTarget: "../b/file" })
  expect(image.entry(0, "a/dev")?.device).toEqual({ major: 1, minor: 3 })
  expect(image.entry(0, "ping")?.attributes).toEqual({ "security.capability": "cap_net_raw=ep" })
  expect(image.entry(0, "b/\xff\x1b")?.sizeBytes).toBe(3)
})

test("of more names than are in memory each has what its header says, also one that came again, or is linked to", async () => {
  const count = 80_000
  const files = Array.from({ length: count }, (_, at): TestEntry => ({
    name: `d${at % 7}/f${at}`,
    mode: at & 0o777,
    uid: at,
  }))
  await using image = await openLayers([
    [
      { name: "first", text: "contents", uid: 5 },
      { name: "d3/", mode: 0o711 },
      ...files,
      { name: "d1/f1", text: "again", mode: 0o600 },
      { name: "link", type: "hardlink", linkName: "first" },
    ],
  ])
  for (let at = 2; at < count; at += 997)
    expect(image.entry(0, `d${at % 7}/f${at}`)).toMatchObject({
      mode: at & 0o777,
      uid: at,
      sizeBytes: 0,
      contentDigest: digestOf(""),
    })
  expect(image.entry(0, "d1/f1")).toMatchObject({ sizeBytes: 5, mode: 0o600, contentDigest: digestOf("again") })
  expect(image.entry(0, "link")).toMatchObject({
    type: "hardlink",
    contentDigest: digestOf("contents"),
    linkTarget: "first",
  })
  expect(image.entry(0, "d3")).toMatchObject({ mode: 0o711, isImplied: false })
  const names = image
    .tree({ since: 0, upTo: 0 })
    .children("d6")
    .map(({ name }) => name)
  expect(names).toEqual(names.toSorted())
  expect(names).toHaveLength(Math.floor(count / 7))
})

describe("a kept index", () => {
  test("is read again, and made again when it is cut short or of another version", async () => {
    const at = directory()
    await (await openLayers([layer], { at }))[Symbol.asyncDispose]()
    const path = join(at, "0.index")
    const [made, bytes] = [statSync(path).mtimeMs, readFileSync(path)]
    await (await openLayers([layer], { at }))[Symbol.asyncDispose]()
    expect(statSync(path).mtimeMs).toBe(made)
    truncateSync(path, bytes.length - 1)
    await (await openLayers([layer], { at }))[Symbol.asyncDispose]()
    expect(readFileSync(path)).toEqual(bytes)
    writeFileSync(path, "skiff-explore 9\n")
    await using image = await openLayers([layer], { at })
    expect(image.entry(0, "b/file")?.sizeBytes).toBe(8)
    expect(readdirSync(at)).toEqual(["0.index"])
  })

  test("is made by two at once, and what a killed process left goes", async () => {
    const at = directory()
    writeFileSync(join(at, "0.index.4194304-aa"), "half of one")
    const images = await Promise.all([openLayers([layer], { at }), openLayers([layer], { at })])
    for (const image of images) {
      expect(image.entry(0, "b/file")?.sizeBytes).toBe(8)
      await image[Symbol.asyncDispose]()
    }
    expect(readdirSync(at)).toEqual(["0.index"])
  })
})

describe("a hostile layer", () => {
  test("with names that lead nowhere or above the root has them as names alone", async () => {
    await using image = await openLayers([
      [
        { name: "../../up", text: "1" },
        { name: "/abs", text: "2" },
        { name: "a/./b/../c", text: "3" },
        { name: "." },
        { name: "/" },
      ],
    ])
    const tree = image.tree({ since: 0, upTo: 0 })
    expect((await Array.fromAsync(tree.walk())).map(({ path }) => path)).toEqual([
      "..",
      "../..",
      "../../up",
      "a",
      "a/c",
      "abs",
    ])
    await expect(image.extract("..", directory())).rejects.toMatchObject({ code: "InvalidArgument" })
  })

  test("with 10,000 files, names twice and out of order among them, has each once and in order", async () => {
    const names = Array.from({ length: 10_000 }, (_, at) => `d${(at * 7919) % 100}/f${(at * 104_729) % 5_000}`)
    await using image = await openLayers([
      Buffer.concat([...names.map((name) => encodeTarHeader({ name })), Buffer.alloc(1024)]),
    ])
    const paths = (await Array.fromAsync(image.tree({ since: 0, upTo: 0 }).walk())).map(({ path }) => path)
    const wanted = new Set([...names, ...names.map((name) => name.slice(0, name.indexOf("/")))])
    expect(paths.length).toBe(wanted.size)
    expect(paths.filter((path) => path.startsWith("d7/"))).toEqual(
      [...wanted].filter((path) => path.startsWith("d7/")).toSorted(),
    )
  })

  test("that ends half way, or lies about the size of a file, is refused", async () => {
    const whole = tarOf([{ name: "f", text: "x".repeat(5000) }])
    await expect(openLayers([whole.subarray(0, 3000)])).rejects.toMatchObject({ code: "DataLoss" })
    const lying = Buffer.from(encodeTarHeader({ name: "f", sizeBytes: 2 ** 33 }))
    await expect(openLayers([Buffer.concat([lying, Buffer.alloc(2048)])])).rejects.toMatchObject({ code: "DataLoss" })
  })

  test("with paths of 500 directories in each other is walked", async () => {
    await using image = await openLayers([[{ name: `${"a/".repeat(500)}f`, text: "deep" }], [{ name: ".wh.a" }]])
    const { sizeBytes, efficiency } = await image.figures()
    expect([sizeBytes, efficiency]).toEqual([4, 1])
    expect(image.tree({ since: 1, upTo: 1 }).node("a")?.change).toBe("removed")
  })
})
