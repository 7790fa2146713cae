import { expect, test } from "bun:test"
import { entryOf, JournalEntries } from "./journal-log.ts"

const line = (fields: object) => JSON.stringify({ __REALTIME_TIMESTAMP: "1795000000123456", PRIORITY: "6", ...fields })

test("a message becomes an entry of its stream, to the microsecond; one in parts is partial", () => {
  expect(entryOf(line({ MESSAGE: "hello" }))).toBe("2026-11-18T11:06:40.123456000+00:00 stdout F hello\n")
  expect(entryOf(line({ MESSAGE: "x", PRIORITY: "3", CONTAINER_PARTIAL_MESSAGE: "true" }))).toEndWith(" stderr P x\n")
})

test("the line break that conmon leaves at the end is the entry's own", () => {
  expect(entryOf(line({ MESSAGE: "hello\n" }))).toEndWith(" stdout F hello\n")
})

test("bytes that are no UTF-8 stay as they are, and text keeps its characters", () => {
  const entries = entryOf(line({ MESSAGE: [255, 65, 254] })) + entryOf(line({ MESSAGE: "ü" }))
  const [first, second] = [...new JournalEntries(Buffer.from(entries, "latin1")).read()].map(({ content }) => content)
  expect([...(first ?? [])]).toEqual([255, 65, 254])
  expect(Buffer.from(second ?? []).toString()).toBe("ü")
})

test("a message cannot make itself look like another entry, and what is no JSON is passed over", () => {
  const forged = entryOf(line({ MESSAGE: "a\n2026-01-01T00:00:00.000000000+00:00 stderr F forged" }))
  expect(forged.split("\n")).toHaveLength(2)
  expect(entryOf("-- No entries --")).toBe("")
  expect(entryOf(line({ MESSAGE: null }))).toEndWith(" F \n")
})
