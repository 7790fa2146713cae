import { expect, test } from "bun:test"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Database } from "../base/database.ts"
import type { Event, NewEvent } from "./event.ts"
import { eventSuite, type EventStore } from "./event.suite.ts"
import { openEvents } from "./open.ts"
import { EventRecords, KEPT_EVENTS } from "./records.ts"
import { eventSchema } from "./schema.ts"

class TempStore implements EventStore {
  readonly directory = mkdtempSync(join(tmpdir(), "skiff-events-"))
  readonly #opened = new DisposableStack()

  database(): Database {
    const db = this.#opened.use(new Database(join(this.directory, "skiff.db")))
    db.migrate([eventSchema])
    return db
  }

  open() {
    const db = this.database()
    return { ...openEvents({ db }), transaction: <T>(body: () => T) => db.transaction(body) }
  }

  [Symbol.dispose](): void {
    this.#opened.dispose()
    rmSync(this.directory, { recursive: true })
  }
}

eventSuite("events of a database", () => new TempStore())

const DAY_MS = 24 * 60 * 60 * 1000
const happened: NewEvent = { type: "container", action: "start", actor: { id: "c", attributes: {} } }

test("the newest 20,000 are kept, and of those none older than 30 days; the newest is always kept", () => {
  using store = new TempStore()
  const db = store.database()
  const records = new EventRecords(db)
  const now = Date.now()
  db.transaction(() => {
    for (let n = 0; n < 200; n++) records.insert(happened, now - 40 * DAY_MS)
  })
  db.transaction(() => {
    for (let n = 0; n < KEPT_EVENTS + 300; n++) records.insert(happened, now)
  })
  const kept = records.after(0, 2 * KEPT_EVENTS)
  expect(kept.length).toBeGreaterThanOrEqual(KEPT_EVENTS)
  expect(kept.length).toBeLessThan(KEPT_EVENTS + 100)
  expect(records.lastId()).toBe(200 + KEPT_EVENTS + 300)
})

test("an event's attributes have a limit, whatever an image brings as labels", () => {
  using store = new TempStore()
  const events = store.open()
  const labels = Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`label${n}`, "x".repeat(5000)]))
  events.append({ ...happened, actor: { id: "c", attributes: { name: "web", ...labels } } })
  const [event] = events.list() as [Event]
  expect(event.actor.attributes.name).toBe("web")
  expect(JSON.stringify(event.actor.attributes).length).toBeLessThan(20_000)
})

test("a clock set back is believed, but for less than a second, which the order of events outweighs", () => {
  using store = new TempStore()
  const records = new EventRecords(store.database())
  const now = Date.now()
  records.insert(happened, now)
  records.insert(happened, now - 500)
  records.insert(happened, now - 60_000)
  const [first, second, third] = records.after(0, 10) as [Event, Event, Event]
  expect(second.timeNs).toBe(first.timeNs + 1n)
  expect(third.timeNs).toBe(BigInt(now - 60_000) * 1_000_000n)
})

const WRITER = `
  const { Database } = await import(${JSON.stringify(join(import.meta.dir, "../base/database.ts"))})
  const { EventRecords } = await import(${JSON.stringify(join(import.meta.dir, "records.ts"))})
  const [path, name, count] = process.argv.slice(-3)
  for (let n = 0; n < Number(count); ) {
    // the log is removed with the last connection, and made again: it happens in the middle, too
    using db = new Database(path)
    const records = new EventRecords(db)
    for (let burst = 0; burst < 20 && n < Number(count); burst++, n++) {
      db.transaction(() => {
        db.run("INSERT INTO written VALUES (?)", name + n)
        records.insert({ type: "container", action: name + n, actor: { id: name, attributes: {} } })
      })
      if (n % 7 === 0) await new Promise((done) => setTimeout(done, 1))
    }
  }
`

async function untilEnd(stream: AsyncIterable<Event>): Promise<string[]> {
  const actions: string[] = []
  for await (const { action } of stream) if (actions.push(action) && action === "end") break
  return actions
}

test("of many processes that write, some of which are killed, nothing is lost and nothing told twice", async () => {
  using store = new TempStore()
  const db = store.database()
  db.exec("CREATE TABLE written (action TEXT NOT NULL) STRICT")
  const events = openEvents({ db })
  const watched = untilEnd(events.watch())
  const other = untilEnd(openEvents({ db: store.database() }).watch({ since: { id: 0 } }))
  const start = (name: string) =>
    spawn(process.execPath, ["-e", WRITER, "--", db.path, name, "400"], { stdio: ["ignore", "inherit", "inherit"] })
  const steady = ["a", "b", "c"].map((name) => once(start(name), "exit"))
  for (let round = 0; round < 6; round++) {
    const killed = start(`killed${round}-`)
    await new Promise((done) => setTimeout(done, 60 + round * 25))
    killed.kill("SIGKILL")
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)")
  }
  await Promise.all(steady)
  // the last commit of all: when it is told, all before it are
  events.append({ ...happened, action: "end" })
  const told = await watched
  const written = db.all<{ action: string }>("SELECT action FROM written ORDER BY rowid").map(({ action }) => action)
  expect(written.length).toBeGreaterThanOrEqual(1200)
  expect(told).toEqual([...written, "end"])
  expect(await other).toEqual(told)
}, 60_000)
