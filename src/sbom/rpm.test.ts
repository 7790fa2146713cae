import { describe, expect, test } from "bun:test"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseRpmDatabase } from "./rpm.ts"

type Value = [tag: number, value: string | number]

/** As rpm writes it: entries, then their values. */
function header(values: readonly Value[], padding = 0): Buffer {
  const data: Buffer[] = []
  let at = 0
  const entries = values.map(([tag, value]) => {
    const bytes = typeof value === "number" ? Buffer.alloc(4) : Buffer.from(`${value}\0`)
    if (typeof value === "number") bytes.writeUInt32BE(value)
    const entry = Buffer.alloc(16)
    for (const [index, field] of [tag, typeof value === "number" ? 4 : 6, at, 1].entries())
      entry.writeUInt32BE(field, index * 4)
    data.push(bytes)
    at += bytes.length
    return entry
  })
  const head = Buffer.alloc(8)
  head.writeUInt32BE(entries.length, 0)
  head.writeUInt32BE(at + padding, 4)
  return Buffer.concat([head, ...entries, ...data, Buffer.alloc(padding, 0x2e)])
}

/** A database made by SQLite itself. */
function database(blobs: readonly Buffer[], pageBytes: number): Buffer {
  const directory = mkdtempSync(join(tmpdir(), "skiff-rpm-"))
  try {
    const path = join(directory, "rpmdb.sqlite")
    const db = new DatabaseSync(path)
    db.exec(`PRAGMA page_size=${pageBytes}; CREATE TABLE Other (a TEXT); INSERT INTO Other VALUES ('x')`)
    db.exec("CREATE TABLE IF NOT EXISTS 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
    const insert = db.prepare("INSERT INTO Packages (blob) VALUES (?)")
    db.exec("BEGIN")
    for (const blob of blobs) insert.run(blob)
    db.exec("COMMIT")
    db.close()
    return readFileSync(path)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const BASH: Value[] = [
  [1000, "bash"],
  [1001, "5.2"],
  [1002, "1.fc39"],
  [1003, 1],
  [1014, "GPL-3.0-or-later"],
  [1022, "x86_64"],
]

describe("rpm's database", () => {
  test.each([512, 4096, 65_536])("of SQLite pages of %i bytes: small and large headers, on many pages", (pageBytes) => {
    const many = Array.from({ length: 300 }, (_, index) =>
      header(
        [
          [1000, `p${index}`],
          [1001, "1"],
        ],
        (index * 97) % 9000,
      ),
    )
    const found = parseRpmDatabase(
      database(
        [
          header(BASH, 100_000),
          header([
            [1000, "gpg-pubkey"],
            [1001, "1"],
          ]),
          ...many,
        ],
        pageBytes,
      ),
      "/db",
    )
    expect(found).toHaveLength(301)
    expect(found[0]).toEqual({
      type: "rpm",
      name: "bash",
      version: "5.2-1.fc39",
      epoch: "1",
      license: "GPL-3.0-or-later",
      architecture: "x86_64",
      foundIn: "/db",
    })
    expect(found.at(-1)?.name).toBe("p299")
  })

  test("that is damaged anywhere is an end, and soon", () => {
    const good = database([header(BASH, 5000), header(BASH)], 1024)
    const startedAt = performance.now()
    let seed = 7
    for (let round = 0; round < 3000; round++) {
      const bad = Buffer.from(good)
      for (let change = 0; change < 4; change++) {
        seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
        bad[seed % bad.length] = (seed >> 8) & 0xff
      }
      expect(
        parseRpmDatabase(bad.subarray(0, round % 3 === 0 ? seed % bad.length : bad.length), "/db").length,
      ).toBeLessThan(10)
    }
    expect(performance.now() - startedAt).toBeLessThan(20_000)
    expect(parseRpmDatabase(Buffer.alloc(0), "/db")).toEqual([])
  })
})
