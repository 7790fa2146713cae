import { afterEach, beforeEach, describe, expect } from "bun:test"
import { tellSkipped, testAsRoot as test } from "../../test/support/as-root.ts"
import { execFileSync } from "node:child_process"
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import * as fc from "fast-check"
import { applyLayer } from "./archive.ts"
import { joinTarSplit } from "./tar-split.ts"
import { archiveOf, paxHeader, paxRecord, rawHeader, stream, type TestEntry } from "./testdata/archives.ts"

tellSkipped("tar-split.test.ts")

let directory: string
let target: string
let tarSplit: string

beforeEach(() => {
  directory = mkdtempSync("/tmp/skiff-split-")
  target = join(directory, "target")
  tarSplit = join(directory, "tar-split")
  mkdirSync(target)
})
afterEach(() => rmSync(directory, { recursive: true }))

const extract = (archive: Uint8Array) => applyLayer(stream(archive), target, { tarSplit })

async function joined(options?: { reuse?: boolean }): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of joinTarSplit(tarSplit, target, options)) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

describe("a layer is given again, byte for byte", () => {
  const MAKE = `mkdir -p tree/dir/sub; cd tree; head -c 3000000 /dev/urandom > dir/big; ln dir/big dir/hard; ln -s dir link
    : > empty; for i in $(seq 300); do echo $i > dir/sub/$i; done; mkfifo fifo; echo x > "$(printf 'caf\\351')"; chmod 0 dir/sub/1
    mkdir -p "$(printf 'n%.0s' {1..120})"; echo y > "$(printf 'n%.0s' {1..120})/$(printf 'm%.0s' {1..120})"`

  test.each(["gnu", "pax", "ustar", "v7"])("as GNU tar wrote it in the form %s", async (format) => {
    const asItIs = format === "gnu" || format === "pax" ? "true" : "rm -r n* fifo"
    execFileSync("bash", ["-euc", `${MAKE}; ${asItIs}; tar cf ../x.tar --format=${format} -C . .`], { cwd: directory })
    const archive = readFileSync(join(directory, "x.tar"))
    expect(await extract(archive)).toMatchObject({ isSplit: true, tarBytes: archive.length })
    expect((await joined()).equals(archive)).toBe(true)
    expect((await joined({ reuse: true })).equals(archive)).toBe(true)
    expect(statSync(tarSplit).size).toBeLessThan(archive.length / 50)
  })

  const cases: [string, Buffer][] = [
    ["without end blocks", archiveOf([{ name: "a", content: "x" }]).subarray(0, 1024)],
    [
      "with bytes after its end",
      Buffer.concat([archiveOf([{ name: "a", content: "x" }]), Buffer.from("more".repeat(500_000))]),
    ],
    [
      "with whiteouts",
      archiveOf([{ name: ".wh.a" }, { name: "d/.wh..wh..opq" }, { name: "d/.wh.b" }, { name: "d/f", content: "x" }]),
    ],
    [
      "with a device, which is not made",
      archiveOf([{ name: "null", type: "character", device: { major: 1, minor: 3 } }]),
    ],
    [
      "with a whiteout and then a directory of its name",
      archiveOf([{ name: ".wh.d" }, { name: "d/", type: "directory" }]),
    ],
    [
      "with files reached through a link",
      archiveOf([
        { name: "real/", type: "directory" },
        { name: "link", type: "symlink", linkName: "real" },
        { name: "link/f", content: "x" },
      ]),
    ],
    ["with a name that is not in its short form", archiveOf([{ name: ".//a///b/./c", content: "x" }])],
    [
      "with padding that is not zero",
      Buffer.concat([
        archiveOf([{ name: "a", content: "x" }]).subarray(0, 513),
        Buffer.alloc(511, "p"),
        Buffer.alloc(1024),
      ]),
    ],
    [
      "with pax records, their padding and a global header",
      Buffer.concat([
        rawHeader({ 156: "g" }, { name: "g", sizeBytes: 0 }),
        paxHeader(paxRecord("path", "long")),
        archiveOf([{ name: "a", content: "x" }]),
      ]),
    ],
    ["that is empty", Buffer.alloc(1024)],
  ]
  test.each(cases)("%s", async (_, archive) => {
    expect(await extract(archive)).toMatchObject({ isSplit: true, tarBytes: archive.length })
    expect((await joined()).equals(archive)).toBe(true)
  })

  test("whatever its files are, and however it comes in", async () => {
    const file = fc.record({
      name: fc.stringMatching(/^[a-e]\/[a-z]{1,3}$/),
      content: fc.string({ maxLength: 2_000, unit: "binary-ascii" }),
      mode: fc.constantFrom(0o644, 0o4755, 0),
    })
    const files = fc.uniqueArray(file, { selector: ({ name }) => name, maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(files, fc.integer({ min: 1, max: 5_000 }), async (entries: TestEntry[], piece) => {
        const archive = archiveOf(entries)
        rmSync(target, { recursive: true })
        mkdirSync(target)
        rmSync(tarSplit, { force: true })
        await applyLayer(stream(archive, piece), target, { tarSplit })
        expect((await joined()).equals(archive)).toBe(true)
      }),
      { numRuns: 50 },
    )
  })
})

const file = (content: string): TestEntry => ({ name: "a", content })

describe("a layer that its files do not give again is not split", () => {
  const cases: [string, Buffer][] = [
    ["a file twice", archiveOf([file("1"), file("2")])],
    ["a file that a link replaces", archiveOf([file("1"), { name: "a", type: "symlink", linkName: "b" }])],
    [
      "a directory that a file replaces",
      archiveOf([
        { name: "d/f", content: "x" },
        { name: "d", content: "y" },
      ]),
    ],
    [
      "a link that a directory replaces",
      archiveOf([
        { name: "r/", type: "directory" },
        { name: "l", type: "symlink", linkName: "r" },
        { name: "l/f", content: "x" },
        { name: "l", content: "z" },
      ]),
    ],
    ["a whiteout that holds something", archiveOf([{ name: ".wh.x", content: "data" }])],
    ["a file of aufs", archiveOf([{ name: ".wh..wh.plnk", content: "data" }])],
  ]
  test.each(cases)("%s", async (_, archive) => {
    expect(await extract(archive)).toMatchObject({ isSplit: false })
    expect(existsSync(tarSplit)).toBe(false)
  })

  test("a sparse file", async () => {
    execFileSync("bash", ["-euc", "truncate -s 3M s; echo x >> s; tar cSf x.tar s"], { cwd: directory })
    expect(await extract(readFileSync(join(directory, "x.tar")))).toMatchObject({ isSplit: false })
  })
})

describe("a store that somebody changed is seen", () => {
  beforeEach(async () => void (await extract(archiveOf([{ name: "d/a", content: "hello" }]))))

  test.each<[string, () => void]>([
    ["a file that is gone", () => unlinkSync(join(target, "d/a"))],
    ["a file of another size", () => writeFileSync(join(target, "d/a"), "hell")],
    [
      "a link in its place",
      () => {
        unlinkSync(join(target, "d/a"))
        writeFileSync(join(directory, "host"), "hello")
        symlinkSync(join(directory, "host"), join(target, "d/a"))
      },
    ],
    [
      "a directory that leads outside",
      () => {
        rmSync(join(target, "d"), { recursive: true })
        mkdirSync(join(directory, "host"))
        writeFileSync(join(directory, "host/a"), "hello")
        symlinkSync(join(directory, "host"), join(target, "d"))
      },
    ],
    ["a tar-split that was cut", () => writeFileSync(tarSplit, readFileSync(tarSplit).subarray(0, -3))],
    ["another file as tar-split", () => writeFileSync(tarSplit, "x")],
  ])("%s", async (_, change) => {
    change()
    await expect(joined()).rejects.toMatchObject({ code: "DataLoss" })
  })
})
