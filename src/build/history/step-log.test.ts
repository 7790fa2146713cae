import { expect, test } from "bun:test"
import { StepLog } from "./step-log.ts"

const utf8 = (text: string) => new TextEncoder().encode(text)

test("lines of a step have its number, however its bytes came", () => {
  const log = new StepLog()
  log.take({ kind: "vertex", vertex: 0, name: "RUN make" })
  log.take({ kind: "started", vertex: 0, at: 1000 })
  const bytes = utf8("one\ntwö\nthree")
  log.take({ kind: "log", vertex: 0, stream: "stdout", bytes: bytes.subarray(0, 7) })
  log.take({ kind: "log", vertex: 0, stream: "stdout", bytes: bytes.subarray(7) })
  log.take({ kind: "done", vertex: 0, at: 2500 })
  expect(log.text).toBe("#1 RUN make\n#1 one\n#1 twö\n#1 three\n#1 DONE 1.5s\n")
  expect(log.steps).toEqual({ total: 1, done: 1, cached: 0 })
})

test("a log without end is cut, and says so", () => {
  const log = new StepLog()
  log.take({ kind: "vertex", vertex: 0, name: "RUN yes" })
  for (let i = 0; i < 5000; i++)
    log.take({ kind: "log", vertex: 0, stream: "stdout", bytes: utf8(`${"y".repeat(200)}\n`) })
  expect(log.text.length).toBeLessThan(256 * 1024 + 100)
  expect(log.text).toEndWith("\n[the rest of the log was not kept]\n")
})

test("a line without end is no more than that of a log", () => {
  const log = new StepLog()
  log.take({ kind: "vertex", vertex: 0, name: "RUN yes | tr -d '\\n'" })
  const bytes = utf8("y".repeat(64 * 1024))
  for (let i = 0; i < 100; i++) log.take({ kind: "log", vertex: 0, stream: "stdout", bytes })
  log.take({ kind: "done", vertex: 0, at: 1 })
  expect(log.text.length).toBeLessThan(256 * 1024 + 100)
})
