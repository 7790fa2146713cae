import { expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Database } from "./database.ts"

test("what a process wrote is there for the next, though it ended without closing, and its log is", () => {
  const directory = mkdtempSync(join(tmpdir(), "skiff-database-"))
  const path = join(directory, "skiff.db")
  const program = `
    const { Database } = await import(${JSON.stringify(join(import.meta.dir, "database.ts"))})
    const db = new Database(${JSON.stringify(path)})
    db.exec("CREATE TABLE IF NOT EXISTS t (n INTEGER) STRICT")
    db.run("INSERT INTO t VALUES (?)", Number(process.argv.at(-1)))
    db.flush()
    db.flush() // safe to repeat
    process.kill(process.pid, "SIGKILL")`
  for (const n of [1, 2, 3]) {
    expect(spawnSync(process.execPath, ["-e", program, String(n)]).signal).toBe("SIGKILL")
    expect(existsSync(`${path}-wal`)).toBe(true)
  }
  using db = new Database(path)
  expect(db.all("SELECT n FROM t")).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
  rmSync(directory, { recursive: true })
})

test("whenFree() waits for another's transaction while this process goes on, and may be cancelled", async () => {
  const directory = mkdtempSync(join(tmpdir(), "skiff-database-"))
  using db = new Database(join(directory, "skiff.db"))
  using other = new Database(db.path)
  other.exec("CREATE TABLE t (n INTEGER) STRICT; BEGIN IMMEDIATE; INSERT INTO t VALUES (1)")
  const stop = new AbortController()
  const cancelled = db.whenFree(stop.signal)
  setTimeout(() => stop.abort(), 5)
  await expect(cancelled).rejects.toMatchObject({ code: "Cancelled" })
  // would the wait hold this process, nobody could end it
  setTimeout(() => other.exec("COMMIT"), 5)
  await db.whenFree()
  expect(db.run("INSERT INTO t VALUES (2)")).toBe(1)
  expect(db.transaction(() => db.hasWriter())).toBe(false)
  await db.whenFree()
  rmSync(directory, { recursive: true })
})
