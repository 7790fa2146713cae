import { expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Database } from "../base/database.ts"
import type { Meter, MeteredRun } from "./meter.ts"
import { openMeter } from "./open.ts"
import { meterSchema } from "./schema.ts"

const GB = 1e9
const START = new Date("2026-11-01T00:00:00Z")
const after = (seconds: number) => new Date(START.getTime() + seconds * 1000)
const run = (containerId: string, more: Partial<MeteredRun> = {}): MeteredRun => ({
  containerId,
  name: `name-${containerId}`,
  image: "img",
  labels: {},
  uid: 0,
  startedAt: START,
  ...more,
})

const accountName = (uid: number) => ({ 0: "root", 1000: "ada" })[uid]

function tempMeter(): Disposable & { meter: Meter } {
  const directory = mkdtempSync(join(tmpdir(), "skiff-meter-"))
  const db = new Database(join(directory, "db"))
  db.migrate([meterSchema])
  return {
    meter: openMeter({ db, accountName }),
    [Symbol.dispose]() {
      db[Symbol.dispose]()
      rmSync(directory, { recursive: true })
    },
  }
}

test("a run that nobody sampled is known by its end; its memory is a bound, the peak for all of its time", () => {
  using store = tempMeter()
  const { meter } = store
  meter.end(run("a"), { at: after(10), cpuNs: 3e9, memoryPeakBytes: 2 * GB, readBytes: 7, sentBytes: 9 })
  expect(meter.report()).toEqual([
    {
      key: "a",
      name: "name-a",
      containers: 1,
      runs: 1,
      seconds: 10,
      cpuSeconds: 3,
      memoryGbSeconds: 20,
      memoryIsBound: true,
      readBytes: 7,
      writtenBytes: 0,
      receivedBytes: 0,
      sentBytes: 9,
      longestGapSeconds: 10,
    },
  ])
})

test("memory between samples changes evenly, and stays after the last one", () => {
  using store = tempMeter()
  const { meter } = store
  const of = (seconds: number, memoryBytes: number) => ({ run: run("a"), sample: { at: after(seconds), memoryBytes } })
  meter.sample([of(2, GB)])
  meter.sample([of(4, 3 * GB)])
  meter.end(run("a"), { at: after(5), memoryPeakBytes: 100 * GB })
  // 2 s of 1 GB, 2 s of 2 GB in the mean, 1 s of 3 GB
  expect(meter.report()[0]).toMatchObject({ memoryGbSeconds: 9, memoryIsBound: false, longestGapSeconds: 2 })
})

test("a counter never goes back, an end counts once, and nothing comes after it", () => {
  using store = tempMeter()
  const { meter } = store
  meter.sample([{ run: run("a"), sample: { at: after(1), cpuNs: 5e9, sentBytes: 50 } }])
  meter.end(run("a"), { at: after(2), cpuNs: 4e9 })
  meter.end(run("a"), { at: after(9), cpuNs: 9e9 })
  meter.sample([{ run: run("a"), sample: { at: after(10), cpuNs: 10e9 } }])
  expect(meter.report()[0]).toMatchObject({ cpuSeconds: 5, sentBytes: 50, seconds: 2 })
  expect(meter.hasEnded(run("a"))).toBe(true)
})

test("a report of a part of the time takes that part of each slice; samples of an hour are one", () => {
  using store = tempMeter()
  const { meter } = store
  for (let minute = 1; minute <= 180; minute++)
    meter.sample([{ run: run("a"), sample: { at: after(minute * 60), cpuNs: minute * 1e9, memoryBytes: GB } }])
  const part = (since: number, until: number) => meter.report({ since: after(since), until: after(until) })[0]
  expect(part(0, 10_800)).toMatchObject({ cpuSeconds: 180, seconds: 10_800, longestGapSeconds: 60 })
  expect(part(3600, 7200)?.cpuSeconds).toBeCloseTo(60)
  expect(part(1800, 3600)?.cpuSeconds).toBeCloseTo(30)
  expect(part(1800, 3600)?.memoryGbSeconds).toBeCloseTo(1800)
  expect(part(20_000, 30_000)).toBeUndefined()
})

test("lines stand for containers, users, images, or values of a label", () => {
  using store = tempMeter()
  const { meter } = store
  const end = (id: string, cpuSeconds: number, more: Partial<MeteredRun>) =>
    meter.end(run(id, more), { at: after(1), cpuNs: cpuSeconds * 1e9 })
  end("a", 1, { labels: { team: "web" }, uid: 1000 })
  end("b", 2, { labels: { team: "db" }, image: "pg" })
  end("c", 4, { labels: { team: "web" }, uid: 4242 })
  const keys = (grouping: Parameters<Meter["report"]>[0]) =>
    meter.report(grouping).map(({ key, cpuSeconds }) => [key, cpuSeconds])
  expect(keys({ grouping: { by: "label", label: "team" } })).toEqual([
    ["web", 5],
    ["db", 2],
  ])
  expect(keys({ grouping: { by: "label", label: "toString" } })).toEqual([["", 7]])
  expect(keys({ grouping: { by: "user" } })).toEqual([
    ["4242", 4],
    ["root", 2],
    ["ada", 1],
  ])
  expect(keys({ grouping: { by: "image" } })).toEqual([
    ["img", 5],
    ["pg", 2],
  ])
  expect(() => meter.report({ since: after(2), until: after(1) })).toThrow("ends before it begins")
})
