import { expect, test } from "bun:test"
import { join } from "node:path"
import { tempDirectory } from "../../test/support/temp-directory.ts"
import { Database } from "./database.ts"
import { InvalidArgument } from "./errors.ts"
import { NamedRows } from "./named-rows.ts"

const AA = `aa${"0".repeat(62)}`
const AB = `ab${"0".repeat(62)}`

function openThings(rows: readonly (readonly [id: string, name: string])[]) {
  const db = new Database(join(tempDirectory("skiff-rows-"), "things.db"))
  db.exec("CREATE TABLE things (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL) STRICT")
  for (const [index, [id, name]] of rows.entries()) db.run("INSERT INTO things VALUES (?, ?, ?)", id, name, index)
  return new NamedRows(db, "things", "thing")
}

test("find() takes an id before a name, and a name before the beginning of an id", () => {
  const things = openThings([
    [AA, "ab"],
    [AB, AA],
  ])
  expect(things.find(AA)?.id).toBe(AA)
  expect(things.find("ab")?.id).toBe(AA)
  expect(things.find("ab0")?.id).toBe(AB)
  expect(things.find("ac")).toBeUndefined()
  expect(things.find("a%")).toBeUndefined()
})

test("find() refuses a prefix of several ids, and shows them", () => {
  const things = openThings([
    [AA, "one"],
    [AB, "two"],
  ])
  expect(() => things.find("a")).toThrow(InvalidArgument)
  expect(() => things.find("a")).toThrow('thing id prefix "a" is ambiguous')
})

test("rows come newest first", () => {
  const things = openThings([
    [AA, "older"],
    [AB, "newer"],
  ])
  expect(things.newestFirst().map(({ name }) => name)).toEqual(["newer", "older"])
})

test("a free name is one that no row has", () => {
  const things = openThings([[AA, "taken"]])
  expect(things.holderOf("taken")).toBe(AA)
  expect(things.holderOf(things.freeName())).toBeUndefined()
})
