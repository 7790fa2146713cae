import { expect, test } from "bun:test"
import { LineMerger } from "./merge-lines.ts"
import { LineSplitter, type ShownLine } from "./shown-line.ts"

const line = (time: number, text = ""): ShownLine => ({
  time: String(time).padStart(12, "0"),
  stream: "stdout",
  bytes: Buffer.from(text),
})

async function* inBatches(lines: readonly ShownLine[], size: number): AsyncGenerator<ShownLine[]> {
  for (let at = 0; at < lines.length; at += size) {
    await Promise.resolve()
    yield lines.slice(at, at + size)
  }
}

test("lines of many logs come out in the order of their times, each once", async () => {
  const merger = new LineMerger<number>({ idleMs: Infinity })
  const logs = Array.from({ length: 20 }, (_, log) => {
    let time = 0
    return Array.from({ length: 1_000 }, () => line((time += 1 + ((time * 7 + log * 13) % 17))))
  })
  const reads = logs.map((lines, log) => merger.add(log, inBatches(lines, 1 + log * 37)))
  merger.seal()
  const found: { source: number; line: ShownLine }[] = []
  for await (const batch of merger.batches()) found.push(...batch)
  await Promise.all(reads)
  const times = found.map((one) => one.line.time)
  expect(times).toEqual(times.toSorted())
  for (const [log, lines] of logs.entries())
    expect(found.filter(({ source }) => source === log).map((one) => one.line)).toEqual(lines)
})

test("a log that is silent holds the others up for a moment, not for ever", async () => {
  const merger = new LineMerger<string>({ idleMs: 5 })
  const silent = Promise.withResolvers<IteratorResult<ShownLine[]>>()
  const reading = merger.add("silent", { [Symbol.asyncIterator]: () => ({ next: () => silent.promise }) })
  void merger.add("loud", inBatches([line(1), line(2)], 1))
  const batches = merger.batches()
  let seen = 0
  while (seen < 2) seen += (await batches.next()).value?.length ?? 0
  silent.resolve({ done: true, value: undefined })
  merger.seal()
  await reading
  expect((await batches.next()).done).toBe(true)
})

test("a reader that is faster than the screen waits for it", async () => {
  const merger = new LineMerger<string>({ idleMs: Infinity })
  let given = 0
  async function* endless(): AsyncGenerator<ShownLine[]> {
    for (; given < 1_000_000; given += 1_000) yield Array.from({ length: 1_000 }, (_, index) => line(given + index))
  }
  void merger.add("fast", endless())
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(given).toBeLessThan(20_000)
})

test("lines are put together from parts, each stream for itself, with the time of the first", () => {
  const splitter = new LineSplitter()
  const out = (text: string) => splitter.split({ stream: "stdout", bytes: Buffer.from(text) })
  expect(out("T1 one\nT2 tw")).toHaveLength(1)
  expect(splitter.split({ stream: "stderr", bytes: Buffer.from("T3 err\n") })).toHaveLength(1)
  const [two] = out("o\nT4 rest")
  expect([two?.time, Buffer.from(two?.bytes ?? "").toString()]).toEqual(["T2", "two"])
  expect(splitter.flush().map(({ time, bytes }) => [time, Buffer.from(bytes).toString()])).toEqual([["T4", "rest"]])
})

test("a line without an end is cut before it fills the memory", () => {
  const splitter = new LineSplitter()
  const part = Buffer.alloc(700_000, "x")
  const first = splitter.split({ stream: "stdout", bytes: Buffer.concat([Buffer.from("T1 "), part]) })
  const second = splitter.split({ stream: "stdout", bytes: part })
  const third = splitter.split({ stream: "stdout", bytes: Buffer.from("end\n") })
  expect([first, second, third].map((lines) => lines.map(({ time, bytes }) => [time, bytes.length]))).toEqual([
    [],
    [["T1", 1_400_000]],
    [["T1", 3]],
  ])
})
