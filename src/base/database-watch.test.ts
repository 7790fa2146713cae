import { expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Database } from "./database.ts"
import { watchDatabase } from "./database-watch.ts"

function tempStore(): { path: string } & Disposable {
  const directory = mkdtempSync(join(tmpdir(), "skiff-db-"))
  return { path: join(directory, "skiff.db"), [Symbol.dispose]: () => rmSync(directory, { recursive: true }) }
}

test("a transaction of another connection is seen, until it ends", () => {
  using store = tempStore()
  using ours = new Database(store.path)
  using other = new Database(store.path)
  expect(ours.hasWriter()).toBe(false)
  other.transaction(() => expect(ours.hasWriter()).toBe(true))
  expect(ours.hasWriter()).toBe(false)
})

test("a commit that becomes visible long after its bytes are in the log is not missed", async () => {
  using store = tempStore()
  using db = new Database(store.path)
  db.exec("CREATE TABLE t (x)")
  const { promise, resolve } = Promise.withResolvers<void>()
  using _ = watchDatabase(db, () => {
    if (db.all("SELECT * FROM t").length > 0) resolve()
  })
  using other = new Database(store.path)
  // the log is written when the cache is full, long before the commit: the wake comes too early
  other.exec("PRAGMA cache_size=1; BEGIN IMMEDIATE")
  for (let n = 0; n < 100; n++) other.run("INSERT INTO t VALUES (randomblob(4096))")
  await new Promise((done) => setTimeout(done, 100))
  other.exec("COMMIT")
  await promise
})

test("a commit after the log was removed and made again is told", async () => {
  using store = tempStore()
  {
    using first = new Database(store.path)
    first.exec("CREATE TABLE t (x)")
  }
  using db = new Database(store.path)
  let told = Promise.withResolvers<void>()
  using _ = watchDatabase(db, () => told.resolve())
  for (const mode of ["TRUNCATE", "RESTART", "PASSIVE"]) {
    db.exec(`PRAGMA wal_checkpoint(${mode})`)
    await new Promise((done) => setTimeout(done, 20))
    told = Promise.withResolvers()
    using other = new Database(store.path)
    other.run("INSERT INTO t VALUES (1)")
    await told.promise
  }
})
