import { expect, test } from "bun:test"
import { testAsRoot } from "../../test/support/as-root.ts"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as fc from "fast-check"
import { rawName } from "../sys/fs/raw-name.ts"
import type { TarEntry } from "./tar-entry.ts"
import { TarReader } from "./tar-reader.ts"
import { archiveOf, readAll } from "./testdata/archives.ts"
import { encodeTarHeader } from "./tar-writer.ts"

testAsRoot("GNU tar extracts what is written: long names, binary attributes, nanoseconds", () => {
  const directory = mkdtempSync("/tmp/skiff-tar-")
  try {
    const long = `${"d".repeat(90)}/${"e".repeat(90)}/${rawName("näme")}`
    const archive = archiveOf([
      { name: "a", mode: 0o4755, uid: 1, gid: 2, mtime: { seconds: 1_700_000_000n, nanoseconds: 123_456_789 } },
      { name: long, mtime: { seconds: -2n, nanoseconds: 250_000_000 }, content: "hello" },
      { name: "s", type: "symlink", linkName: "x".repeat(150) },
      { name: "h", type: "hardlink", linkName: "a" },
      { name: "u", attributes: new Map([["user.binary", Uint8Array.of(0, 10, 61, 255, 128)]]) },
    ])
    writeFileSync(join(directory, "x.tar"), archive)
    execFileSync("tar", ["xf", "x.tar", "--numeric-owner", "--xattrs", "--xattrs-include=*"], { cwd: directory })
    const stat = statSync(join(directory, "a"), { bigint: true })
    expect([stat.mode & 0o7777n, stat.uid, stat.gid, stat.nlink]).toEqual([0o4755n, 1n, 2n, 2n])
    expect(stat.mtimeNs).toBe(1_700_000_000_123_456_789n)
    const name = Buffer.from(long, "latin1").toString()
    expect(readFileSync(join(directory, name), "utf8")).toBe("hello")
    expect(statSync(join(directory, name), { bigint: true }).mtimeNs).toBe(-1_750_000_000n)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test("encodeTarHeader() gives the same bytes for the same entry, whatever the order of its attributes", () => {
  const one = new Map([
    ["user.a", Uint8Array.of(1)],
    ["user.b", Uint8Array.of(2)],
  ])
  const other = new Map([...one].toReversed())
  expect(encodeTarHeader({ name: "f", attributes: one })).toEqual(encodeTarHeader({ name: "f", attributes: other }))
})

const anyRaw = (maxLength: number) =>
  fc
    .uint8Array({ minLength: 1, maxLength })
    .map((bytes) => Buffer.from(bytes.map((byte) => byte || 1)).toString("latin1"))

const anyEntry: fc.Arbitrary<TarEntry & { content: string }> = fc
  .record({
    type: fc.constantFrom("file", "symlink", "hardlink", "fifo", "character", "block"),
    name: anyRaw(300).map((name) => `${name}x`),
    linkName: anyRaw(200),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: fc.integer({ min: 0, max: 2 ** 32 - 2 }),
    gid: fc.integer({ min: 0, max: 2 ** 32 - 2 }),
    mtime: fc.record({
      seconds: fc.bigInt({ min: -(2n ** 40n), max: 2n ** 40n }),
      nanoseconds: fc.integer({ min: 0, max: 999_999_999 }),
    }),
    device: fc.record({ major: fc.integer({ min: 0, max: 4095 }), minor: fc.integer({ min: 0, max: 65_535 }) }),
    attributes: fc
      .array(fc.tuple(fc.stringMatching(/^user\.[a-z]{1,200}$/), fc.uint8Array({ maxLength: 2000 })))
      .map((pairs) => new Map(pairs.map(([key, value]) => [key, Uint8Array.from(value)]))),
    content: anyRaw(3000),
  })
  .map((entry) => {
    const content = entry.type === "file" ? entry.content : ""
    const type = entry.type as TarEntry["type"]
    return Object.assign(entry, { type, isSparse: false, content, sizeBytes: content.length })
  })

test("what is written is read again, in pieces of any size", () => {
  fc.assert(
    fc.property(fc.array(anyEntry, { maxLength: 5 }), fc.integer({ min: 1, max: 5000 }), (entries, pieceBytes) => {
      const read = readAll(archiveOf(entries), pieceBytes)
      expect(read.map(({ entry, content }) => Object.assign(entry, { content }))).toEqual(entries)
    }),
    { numRuns: 150 },
  )
})

test("an archive with changed bytes gives a typed error or entries, never a crash", () => {
  fc.assert(
    fc.property(
      fc.array(anyEntry, { minLength: 1, maxLength: 3 }),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 20 }),
      (entries, changes) => {
        const archive = archiveOf(entries)
        for (const [at, byte] of changes) archive[at % archive.length] = byte
        try {
          readAll(archive)
        } catch (error) {
          expect(["DataLoss", "InvalidArgument", "Unsupported"]).toContain((error as { code: string }).code)
        }
      },
    ),
    { numRuns: 500 },
  )
})

test("a reader takes nothing after the end blocks", () => {
  const seen: string[] = []
  const reader = new TarReader({ entry: ({ name }) => seen.push(name), data() {}, end() {} })
  reader.write(archiveOf([{ name: "a" }]))
  reader.write(archiveOf([{ name: "b" }]))
  reader.finish()
  expect(seen).toEqual(["a"])
})
