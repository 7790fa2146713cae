import { describe, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import { tempDirectory } from "../../../test/support/temp-directory.ts"
import { findPackages } from "../find-packages.ts"
import type { Package } from "../package.ts"
import { openRpmDatabase } from "./database.ts"
import { rpmPackages } from "./packages.ts"

function parseRpmDatabase(bytes: Buffer): Package[] {
  const opened = openRpmDatabase(bytes, "db")
  return opened === undefined ? [] : rpmPackages(opened)
}

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
  [5096, "shell:5:1:ab"],
]

/** Made as testdata/README.md says, with the names that rpm gives. */
const FORMS: Readonly<Record<string, string>> = {
  sqlite: "rpmdb.sqlite",
  ndb: "Packages.db",
  "berkeley-le": "Packages",
  "berkeley-be": "Packages",
}

function fixture(form: string): Buffer {
  return gunzipSync(readFileSync(join(import.meta.dir, `testdata/${form}.gz`)))
}

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
    )
    expect(found).toHaveLength(301)
    expect(found[0]).toEqual({
      type: "rpm",
      kind: "rpm",
      name: "bash",
      version: "5.2-1.fc39",
      epoch: "1",
      license: "GPL-3.0-or-later",
      architecture: "x86_64",
      module: "shell:5:1:ab",
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
      expect(parseRpmDatabase(bad.subarray(0, round % 3 === 0 ? seed % bad.length : bad.length)).length).toBeLessThan(
        10,
      )
    }
    expect(performance.now() - startedAt).toBeLessThan(20_000)
    expect(parseRpmDatabase(Buffer.alloc(0))).toEqual([])
  })

  describe.each(Object.keys(FORMS))("in the form %s", (form) => {
    const bytes = fixture(form)

    test("has what is installed, and nothing that was removed", () => {
      const packages = parseRpmDatabase(bytes)
      expect(packages.map(({ name }) => name).toSorted()).toEqual(["perl-modules", "zlib", "zlib-devel"])
      expect(packages.find(({ name }) => name === "zlib-devel")).toEqual({
        type: "rpm",
        kind: "rpm",
        name: "zlib-devel",
        version: "1.2.7-18.el7",
        epoch: "1",
        license: "zlib and Boost",
        supplier: "Example",
        homepage: "https://zlib.net",
        architecture: "x86_64",
        source: "zlib-1.2.7-18.el7.src.rpm",
        dependsOn: ["zlib"],
        foundIn: "/db",
      })
      expect(packages.find(({ name }) => name === "perl-modules")?.module).toBe(
        "perl:5.26:8030020200313080146:466ea64f",
      )
    })

    test("is found in a tree", () => {
      const root = tempDirectory("skiff-rpm-tree-")
      mkdirSync(join(root, "var/lib/rpm"), { recursive: true })
      writeFileSync(join(root, "var/lib/rpm", FORMS[form] ?? ""), bytes)
      const found = findPackages(root)
      expect(found.packages.map(({ foundIn }) => foundIn)).toEqual(Array(3).fill(`/var/lib/rpm/${FORMS[form]}`))
      expect(found.leftOut).toEqual([])
    })

    test("that is damaged anywhere is an end, soon, and said", () => {
      let [seed, told] = [11, 0]
      const startedAt = performance.now()
      for (let round = 0; round < 1500; round++) {
        const bad = Buffer.from(bytes)
        for (let change = 0; change < 30; change++) {
          seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
          bad[seed % bad.length] = (seed >> 8) & 0xff
        }
        const opened = openRpmDatabase(bad.subarray(0, round % 3 === 0 ? seed % bad.length : bad.length), "db")
        if (opened === undefined) continue
        expect(rpmPackages(opened).length).toBeLessThan(10)
        told += opened.leftOut.length
      }
      expect(performance.now() - startedAt).toBeLessThan(20_000)
      expect(told).toBeGreaterThan(0)
    })
  })

  test("whose slots all lead to one large header ends when more was read than the file has", () => {
    const slots = 65_000
    const blob = header(BASH, 100_000)
    const start = Math.ceil((32 + slots * 16) / 4096) * 4096
    const file = Buffer.alloc(start + 16 + blob.length)
    file.write("RpmP", 0, "latin1")
    file.writeUInt32LE(start / 4096, 12)
    for (let slot = 0; slot < (start - 32) / 16; slot++) {
      const at = 32 + slot * 16
      file.write("Slot", at, "latin1")
      file.writeUInt32LE(1, at + 4)
      file.writeUInt32LE(start / 16, at + 8)
    }
    file.write("BlbS", start, "latin1")
    file.writeUInt32LE(1, start + 4)
    file.writeUInt32LE(blob.length, start + 12)
    blob.copy(file, start + 16)
    const opened = openRpmDatabase(file, "db")
    expect(opened && rpmPackages(opened).length).toBe(11)
    expect(opened?.leftOut).toEqual(["all but the first 11 rows of /db"])
  })

  test("of a form that nobody knows is named", () => {
    const root = tempDirectory("skiff-rpm-tree-")
    mkdirSync(join(root, "var/lib/rpm"), { recursive: true })
    writeFileSync(join(root, "var/lib/rpm/Packages"), "no database")
    expect(findPackages(root).leftOut).toEqual(["the rpm database in /var/lib/rpm"])
  })
})

test("a database of hundreds of MB is read where its packages are", () => {
  const root = tempDirectory("skiff-rpm-large-")
  mkdirSync(join(root, "var/lib/rpm"), { recursive: true })
  const path = join(root, "var/lib/rpm/Packages.db")
  writeFileSync(path, fixture("ndb"))
  truncateSync(path, 500 * 1024 ** 2)
  const before = process.memoryUsage.rss()
  expect(findPackages(root).packages).toHaveLength(3)
  expect(process.memoryUsage.rss() - before).toBeLessThan(100 * 1024 ** 2)
  // more than anybody's
  truncateSync(path, 600 * 1024 ** 2)
  expect(findPackages(root).leftOut).toContain("/var/lib/rpm/Packages.db, which is too large")
})
